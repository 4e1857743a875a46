package docs_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/peer"
)

// The addresses that the pages use. A test takes free ports and puts these back
// into what is compared.
const (
	gateAddress   = "127.0.0.1:8787"
	appAddress    = "127.0.0.1:9000"
	probesAddress = "127.0.0.1:9788"
	besideAddress = "127.0.0.1:9001" // of a second Portreeve
	twilioAddress = "127.0.0.1:9010" // a stand-in of Twilio, with the account of the pages
)

// A console block is typed into a shell: "$ " is a command, what follows is
// what it prints. "…" stands for anything within a line, alone for any lines.
// One page is one shell, in a folder with the page's "# file:" blocks, in front
// of an application that answers with what it received.
func TestCommandsOfThePages(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the pages use GNU's sed, stat and base64")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("PORTREEVE_PEERS") == "required" {
			t.Fatal("curl is missing; scripts/deps.sh installs it")
		}
		t.Skip("curl is missing")
	}
	bin := filepath.Dir(peer.Portreeve(t))
	for _, file := range append(pages(t), "operations.md", "tutorial.md") {
		p := readPage(t, file)
		if !p.types() {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			s := newSession(t, bin)
			if strings.HasSuffix(file, "move-from-provisioning.md") {
				provisioningDump(t, s.dir)
			}
			p.play(t, s)
		})
	}
}

func (p *page) types() bool {
	for _, b := range p.blocks {
		if b.language == "console" {
			return true
		}
	}
	return false
}

// play types a page's commands in order.
func (p *page) play(t *testing.T, s *session) {
	printed := map[int][]string{} // by the line of the command
	for _, b := range p.blocks {
		if name := b.file(); name != "" {
			s.write(name, strings.Join(b.lines[1:], "\n"))
			continue
		}
		if b.language != "console" {
			continue
		}
		for i := 0; i < len(b.lines); {
			command, end := strings.TrimPrefix(b.lines[i], "$ "), i+1
			for strings.HasSuffix(command, "\\") && end < len(b.lines) {
				command, end = command+"\n"+b.lines[end], end+1
			}
			from := end
			for end < len(b.lines) && !strings.HasPrefix(b.lines[end], "$ ") {
				end++
			}
			want, got := b.lines[from:end], s.run(command)
			if !same(want, got) {
				if *update {
					printed[b.at+from] = got
				} else {
					t.Errorf("%s:%d: $ %s\n--- the page says\n%s\n--- it printed\n%s", p.name, b.at+i+1, command,
						strings.Join(want, "\n"), strings.Join(got, "\n"))
				}
			}
			i = end
		}
	}
	if *update && len(printed) > 0 {
		rewrite(t, p.name, printed)
	}
}

// rewrite puts what was printed below the commands, by line number.
func rewrite(t *testing.T, file string, printed map[int][]string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	skip := false
	for i, line := range strings.Split(string(raw), "\n") {
		if got, ok := printed[i]; ok {
			out, skip = append(out, got...), true
		}
		if strings.HasPrefix(line, "```") || strings.HasPrefix(line, "$ ") {
			skip = false
		}
		if !skip {
			out = append(out, line)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(out, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// same reports whether got is what the page says.
func same(want, got []string) bool {
	expr := regexp.QuoteMeta(strings.Join(want, "\n") + "\n")
	expr = regexp.MustCompile(`(?m)^…\n`).ReplaceAllString(expr, "(?:.*\\n)*?")
	expr = strings.ReplaceAll(expr, "…", ".*?")
	text := ""
	if len(got) > 0 {
		text = strings.Join(got, "\n")
	}
	return regexp.MustCompile(`\A(?:` + expr + `)\z`).MatchString(text + "\n")
}

// session is one shell.
type session struct {
	t       *testing.T
	dir     string
	in      io.Writer
	out     *bufio.Reader
	replace *strings.Replacer // the page's addresses → ours
	restore *strings.Replacer
	serving bool
}

func newSession(t *testing.T, bin string) *session {
	dir, err := os.MkdirTemp("", "page") // short: a socket's path is bounded
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echo := standin.NewEcho(l, standin.EchoOptions{Name: "docs"})
	tl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	twilio := standin.NewTwilio(tl, standin.TwilioOptions{AccountSid: "AC00112233445566778899aabbccddeeff", AuthToken: "an-auth-token",
		Services: []string{"MG00112233445566778899aabbccddeeff"}})
	gate, probes := freeAddress(t), freeAddress(t)
	pairs := append([]string{gateAddress, gate, appAddress, l.Addr().String(), probesAddress, probes, besideAddress, freeAddress(t), twilioAddress, tl.Addr().String()},
		loginServices(t, dir, gate)...)
	s := &session{t: t, dir: dir, replace: strings.NewReplacer(pairs...), restore: strings.NewReplacer(reversed(pairs)...)}
	sh := exec.Command("sh")
	sh.Dir = dir
	sh.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8"}
	in, err := sh.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := sh.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	sh.Stderr = sh.Stdout
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	s.in, s.out = in, bufio.NewReader(out)
	guard := time.AfterFunc(2*time.Minute, func() { _ = sh.Process.Kill() })
	t.Cleanup(func() {
		guard.Stop()
		if s.serving {
			_, _ = io.WriteString(in, "kill $!; wait $!\n")
		}
		_ = in.Close()
		_ = sh.Wait()
		_ = echo.Close()
		_ = twilio.Close()
		_ = os.RemoveAll(dir)
	})
	return s
}

// reversed leads back from what replaced to what was replaced.
func reversed(pairs []string) []string {
	out := slices.Clone(pairs)
	slices.Reverse(out)
	return out
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *session) write(name, text string) {
	if err := os.MkdirAll(filepath.Dir(filepath.Join(s.dir, name)), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(s.replace.Replace(text)+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// run types a command and returns the lines that it prints. One that ends in
// "2> access.log &" serves from then on.
func (s *session) run(command string) []string {
	s.t.Helper()
	const end = "--end of the command--"
	if _, err := fmt.Fprintf(s.in, "%s\nprintf '\\n%s\\n'\n", s.replace.Replace(command), end); err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("$ %s\nthe shell is gone: %v\n%s", command, err, b.String())
		}
		if line == end+"\n" {
			break
		}
		b.WriteString(line)
	}
	if strings.HasSuffix(command, "2> access.log &") {
		s.serving = true
		s.waitFor("access.log", "serves")
	}
	text := strings.TrimRight(s.restore.Replace(strings.ReplaceAll(b.String(), "\r", "")), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// waitFor waits until another process has written a word into a file.
func (s *session) waitFor(name, word string) {
	s.t.Helper()
	for range 1000 {
		raw, _ := os.ReadFile(filepath.Join(s.dir, name))
		if strings.Contains(string(raw), word) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("nothing in %s says %q", name, word)
}
