package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const shared = "PORTREEVE_TEST_SHARED_STORE"

const turns = 40

// TestOtherProcess is no test: it is what the next one starts.
func TestOtherProcess(t *testing.T) {
	url := os.Getenv(shared)
	if url == "" {
		t.Skip("started by TestProcessesShareASQLiteFile")
	}
	db, err := store.Open(t.Context(), store.Options{URL: url, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	raise := func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE change_counter SET seq = seq + 1`)
		return err
	}
	for range turns {
		if err := db.Tx(t.Context(), raise); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv(shared+"_DIES") == "" {
		return
	}
	_ = db.Tx(t.Context(), func(tx *store.Tx) error {
		err := raise(tx)
		fmt.Println("holding", err)
		select {} // until killed
	})
}

// The command line and a serving process write to one file, and one of them may
// die with a transaction open.
func TestProcessesShareASQLiteFile(t *testing.T) {
	t.Parallel()
	url := storetest.SQLiteURL(t)
	other := func(env ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOtherProcess$")
		cmd.Env = append(append(os.Environ(), shared+"="+url), env...)
		return cmd
	}
	dies := other(shared + "_DIES=yes")
	out, err := dies.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dies.Start(); err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, url)
	storetest.Callers(t, 3, func(i int) error {
		switch i {
		case 0:
			if out, err := other().CombinedOutput(); err != nil {
				return fmt.Errorf("%w\n%s", err, out)
			}
			return nil
		case 1:
			if !bufio.NewScanner(out).Scan() {
				t.Error("the other process ended early")
			}
			err := dies.Process.Kill()
			_ = dies.Wait()
			return err
		}
		for range turns {
			if err := db.Tx(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(`UPDATE change_counter SET seq = seq + 1`)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	var seq int
	if err := db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Row(`SELECT seq FROM change_counter`).Scan(&seq)
	}); err != nil || seq != 3*turns {
		t.Errorf("%d turns were kept of %d, %v", seq, 3*turns, err)
	}
}
