package actions

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const captiveFlag = "-portreeve-action-captive"

// captive is a child that is shut in like any other and then tries, from Go and
// without any script, to get out. What came of it is its only message.
func captive(args []string) (status int, is bool) {
	if len(args) != 2 || args[1] != captiveFlag {
		return 0, false
	}
	environment := len(os.Environ())
	lacks := shutIn()
	tried := map[string]string{}
	try := func(what string, err error) {
		tried[what] = "done"
		if err != nil {
			tried[what] = err.Error()
		}
	}
	_, err := os.ReadFile("/etc/passwd")
	try("read a file", err)
	_, err = os.ReadDir("/")
	try("list a folder", err)
	try("write a file", os.WriteFile("/tmp/portreeve-captive", []byte("x"), 0o600))
	try("remove a file", os.Remove("/tmp/portreeve-none"))
	try("start a process", exec.Command("/bin/true").Run())
	try("become another program", syscall.Exec("/bin/true", []string{"true"}, nil))
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
	if errno == 0 {
		tried["fork"] = "done"
	} else {
		tried["fork"] = errno.Error()
	}
	_, err = net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
	try("dial", err)
	_, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	try("make a socket", err)
	try("signal the parent", syscall.Kill(os.Getppid(), 0))
	_, err = syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_EXEC, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	try("make memory executable", err)
	try("raise a limit", syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: 100, Max: 100}))
	_, err = syscall.Dup(0)
	try("duplicate a descriptor", err)
	report, _ := json.Marshal(tried)
	if environment != 0 {
		lacks = append(lacks, "the environment was not empty")
	}
	_ = writeFrame(os.Stdin, message{Kind: kindReady, Lacks: lacks, Text: string(report)}, maxFrame)
	return 0, true
}

func TestAChildCannotGetOutEvenInGo(t *testing.T) {
	t.Parallel()
	c, err := spawnHere(t, captiveFlag)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.conn.SetDeadline(time.Now().Add(10 * time.Second))
	b, err := readFrame(c.conn, maxFrame)
	if err != nil {
		t.Fatalf("%v, %s", err, c.obituary())
	}
	m, err := parseMessage(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range m.Lacks {
		t.Errorf("this machine does not enforce %s", l)
	}
	tried := map[string]string{}
	if err := json.Unmarshal([]byte(m.Text), &tried); err != nil || len(tried) < 12 {
		t.Fatalf("%v: %s", err, m.Text)
	}
	for what, came := range tried {
		if !strings.Contains(came, "not permitted") && !strings.Contains(came, "too many open files") {
			t.Errorf("%s: %s", what, came)
		}
	}
}

// spawnHere starts a child that ends with the test.
func spawnHere(t *testing.T, flag string) (*child, error) {
	t.Helper()
	e := New(Options{Idle: -1}) // for its thread
	t.Cleanup(e.Close)
	r := make(chan started, 1)
	go func() {
		c, err := spawn(flag)
		r <- started{c, err}
		<-t.Context().Done() // the thread that started it lives as long as the test
	}()
	s := <-r
	if s.err == nil {
		t.Cleanup(s.child.end)
	}
	return s.child, s.err
}
