package transport

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// idleChild makes this binary serve, for BenchmarkIdleConnections: it prints
// its address and ends with its input.
const idleChild = "PORTREEVE_IDLE"

func TestServeForIdleConnections(t *testing.T) {
	setting, ok := os.LookupEnv(idleChild)
	if !ok {
		t.Skip("the other half of BenchmarkIdleConnections")
	}
	e := start(t, "environment: test\nauth: none\n"+setting+"routes: [{path: /own, method: get, response: own}]\n",
		newAuthority(t, "ca").issue(t, time.Hour, "a.example.com").files("a"))
	fmt.Println("serves", e.Addr)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// What an open connection costs that has had its first request: resident KB of
// the serving process, which holds up to 10,000 of them and serves on.
func BenchmarkIdleConnections(b *testing.B) {
	for _, c := range []struct {
		name, setting string
		open          func(b *testing.B, addr string) io.Closer
	}{
		{"plain", "", func(b *testing.B, addr string) io.Closer { return asked(b, dialIdle(b, addr)) }},
		{"TLS", "tls: {cert: a.pem, key: a.key}\n", func(b *testing.B, addr string) io.Closer {
			return asked(b, tls.Client(dialIdle(b, addr), &tls.Config{InsecureSkipVerify: true}))
		}},
		{"HTTP2", "tls: {cert: a.pem, key: a.key}\n", func(b *testing.B, addr string) io.Closer {
			f := dialFrames(b, addr)
			_ = f.conn.SetDeadline(time.Time{})
			if o := f.wait(f.request(false, get("/own")...)); o.Status != "200" {
				b.Fatal(o)
			}
			return f.conn
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			want := 10000
			var most syscall.Rlimit
			if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &most) == nil && uint64(want)+200 > most.Cur {
				want = int(most.Cur) - 200
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestServeForIdleConnections$", "-test.timeout=5m")
			cmd.Env = append(os.Environ(), idleChild+"="+c.setting)
			in, _ := cmd.StdinPipe()
			out, _ := cmd.StdoutPipe()
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			defer func() { _ = in.Close(); _ = cmd.Wait() }()
			lines := bufio.NewScanner(out)
			addr := ""
			for addr == "" && lines.Scan() {
				addr, _ = strings.CutPrefix(lines.Text(), "serves ")
				if !strings.Contains(lines.Text(), "serves ") {
					addr = ""
				}
			}
			for b.Loop() {
				_ = c.open(b, addr).Close()
				before := resident(b, cmd.Process.Pid)
				var held []io.Closer
				for range want {
					held = append(held, c.open(b, addr))
				}
				after := resident(b, cmd.Process.Pid)
				b.ReportMetric(float64(after-before)/float64(want), "KB/conn")
				b.ReportMetric(float64(want), "conns")
				_ = c.open(b, addr).Close() // one more is served
				for _, one := range held {
					_ = one.Close()
				}
			}
		})
	}
}

func dialIdle(b *testing.B, addr string) net.Conn {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// asked makes one request, so that the connection is kept.
func asked(b *testing.B, c net.Conn) io.Closer {
	_, _ = io.WriteString(c, "GET /own HTTP/1.1\r\nHost: a.example.com\r\n\r\n")
	head := make([]byte, 1000)
	if n, err := c.Read(head); err != nil || !strings.HasPrefix(string(head[:n]), "HTTP/1.1 200") {
		b.Fatalf("%v %q", err, head[:n])
	}
	return c
}

// resident is a process's resident memory in KB.
func resident(b *testing.B, pid int) int {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("no /proc here")
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return n
}
