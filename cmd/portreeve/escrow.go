package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

type escrowCmd struct {
	Seal escrowSealCmd `cmd:"" help:"A machine's side: seal a secret to its tenant's key, and hand it over."`
	Open escrowOpenCmd `cmd:"" help:"Break glass: open secrets of an export, without a server, by passphrase or shares."`
}

// Help is shown by --help.
func (escrowCmd) Help() string {
	return `Examples:
  portreeve escrow seal --url https://api.example.com --machine DESK-0042 --kind bitlocker < key.txt
  portreeve tenants export acme > acme.json
  portreeve escrow open --export acme.json --list

Secrets, tokens, passphrases and shares are never arguments: they come from files,
standard input, or a question without echo.`
}

// maxEscrowFile bounds an export.
const maxEscrowFile = 256 << 20

// readUpTo reads a file, or standard input for "-".
func readUpTo(s streams, name string, most int64) ([]byte, error) {
	r := s.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return b, err
}

// trimLine drops one trailing line break.
func trimLine(b []byte) string {
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
}

// hidden is a file's one line, or an answer that a terminal does not show.
func hidden(s streams, file, prompt string) (string, error) {
	if file != "" {
		b, err := readUpTo(s, file, maxSecret)
		return trimLine(b), err
	}
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", errors.New("there is no terminal to ask on: name a file, or - for standard input")
	}
	fmt.Fprint(s.err, prompt)
	defer fmt.Fprintln(s.err)
	b, err := silently(s, f)
	return string(b), err
}
