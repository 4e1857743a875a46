package audit

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// Checkpoint is the signed end of a chain at a time.
type Checkpoint struct {
	Tenant string
	N      int64
	Hash   []byte
	At     time.Time
	KeyID  string
	Sig    []byte
}

// line is a checkpoint as it is written.
type line struct {
	Tenant string `json:"tenant"`
	N      int64  `json:"n"`
	Hash   string `json:"hash"`
	Time   string `json:"time"`
	Key    string `json:"key"`
	Sig    string `json:"sig"`
}

const (
	labelCheckpoint = "portreeve audit checkpoint v1"
	timeForm        = "2006-01-02T15:04:05.000Z"
	longestLine     = 8192
)

// signed is what the signature is made over.
func (c *Checkpoint) signed() []byte {
	b := field(nil, labelCheckpoint)
	b = field(b, c.KeyID)
	b = field(b, c.Tenant)
	b = number(b, c.N)
	b = field(b, string(c.Hash))
	return number(b, c.At.UnixMilli())
}

// Line is the checkpoint on one line of JSON, without its end.
func (c *Checkpoint) Line() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(line{c.Tenant, c.N, hex.EncodeToString(c.Hash), c.At.UTC().Format(timeForm), c.KeyID, hex.EncodeToString(c.Sig)}) // never fails: texts and a number
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

var errNoCheckpoint = errors.New("is no checkpoint")

// ParseCheckpoint reads one line, in no other spelling than that of Line.
// Nothing is verified.
func ParseCheckpoint(text []byte) (*Checkpoint, error) {
	var in line
	if len(text) > longestLine || json.Unmarshal(text, &in) != nil {
		return nil, errNoCheckpoint
	}
	at, err := time.Parse(timeForm, in.Time)
	if err != nil {
		return nil, errNoCheckpoint
	}
	hash, err1 := hex.DecodeString(in.Hash)
	sig, err2 := hex.DecodeString(in.Sig)
	c := &Checkpoint{Tenant: in.Tenant, N: in.N, Hash: hash, At: at, KeyID: in.Key, Sig: sig}
	if err1 != nil || err2 != nil || in.N < 1 || len(hash) != 32 || len(sig) != ed25519.SignatureSize || !seal.ValidID(in.Key) || !bytes.Equal(c.Line(), text) {
		return nil, errNoCheckpoint
	}
	return c, nil
}

func (k *chainKeys) verifies(c *Checkpoint) bool {
	public, ok := k.sign.Public().(ed25519.PublicKey)
	return ok && ed25519.Verify(public, c.signed(), c.Sig)
}

// readLines calls fn with each line that is not blank. The error of fn ends it;
// a line that is too long is handed over cut, and is no checkpoint then.
func readLines(r io.Reader, fn func(n int, line []byte) error) error {
	b := bufio.NewReaderSize(r, longestLine+2)
	for n := 1; ; n++ {
		text, err := b.ReadSlice('\n')
		text = bytes.Clone(text)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
		}
		if t := bytes.TrimRight(text, "\r\n"); len(bytes.TrimSpace(t)) > 0 {
			if err := fn(n, t); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// verifyCheckpoints holds every checkpoint of the scope against the row that it
// names.
func (l *Log) verifyCheckpoints(ctx context.Context, ring keyring, s Scope, from io.Reader, r *Report) error {
	return readLines(from, func(n int, text []byte) error {
		c, err := ParseCheckpoint(text)
		if err != nil {
			r.add(Problem{What: fmt.Sprintf("line %d of the checkpoints %v", n, err)})
			return nil
		}
		if !s.All && c.Tenant != s.Tenant {
			return nil
		}
		bad := func(what string) error {
			r.add(Problem{c.Tenant, c.N, fmt.Sprintf("%s (line %d of the checkpoints, of %s)", what, n, c.At.Format(time.RFC3339))})
			return nil
		}
		keys := ring[c.KeyID]
		switch {
		case keys == nil:
			return bad(fmt.Sprintf("the checkpoint cannot be verified: it is signed under the master key %q, which is not to be had", c.KeyID))
		case !keys.verifies(c):
			return bad("the checkpoint was changed")
		}
		r.Checkpoints++
		var hash []byte
		err = l.db.Read(ctx, func(tx *store.Tx) error {
			return tx.Row(`SELECT hash FROM audit_events WHERE tenant_id = $1 AND n = $2`, c.Tenant, c.N).Scan(&hash)
		})
		switch {
		case errors.Is(err, store.ErrNone):
			return bad("the row was there and is not any more: the chain was cut off")
		case err != nil:
			return err
		case !bytes.Equal(hash, c.Hash):
			return bad("the row was another: the chain was written anew")
		}
		return nil
	})
}
