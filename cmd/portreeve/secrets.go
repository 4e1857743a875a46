package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/portreeve/portreeve/internal/app"
)

type secretsCmd struct {
	Put putCmd `cmd:"" help:"Ask for a secret and write the file that the configuration reads it from."`
}

// Help is shown by --help.
func (secretsCmd) Help() string {
	return `Example:
  portreeve secrets put jwt-secret`
}

type putCmd struct {
	configFlag
	Name string `arg:"" help:"The file's name, or its path if there is a slash in it."`
}

// Help is shown by --help.
func (putCmd) Help() string {
	return `Example:
  portreeve secrets put jwt-secret
  openssl rand -base64 32 | portreeve secrets put jwt-secret

Asks without echo, or reads standard input where that is no terminal; one
trailing line break is dropped. The value is never an argument.

Writes the file of that name that the configuration reads by {{file.…}}. Where
it names none, secrets/NAME beside the configuration, and says how to refer to
it. A NAME with a slash is a path, relative to the configuration's folder. The
file gets mode 0600 and changes in one step; a serving portreeve takes it up at
its next reload, by itself with watch: true.`
}

// Run asks for a secret and writes it.
func (c putCmd) Run(s streams) error {
	src := app.Source{Getenv: s.env}
	if found, err := c.source(s); err == nil {
		src = found
	} else if c.Config != "" {
		return err
	}
	file, err := app.FindSecret(src, c.Name)
	if err != nil {
		return err
	}
	value, err := askSecret(s, c.Name)
	if err != nil {
		return err
	}
	if err := file.Write(value); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s written, mode 0600\n", file.Path)
	if !file.Named {
		fmt.Fprintf(s.out, "the configuration reads it as \"%s\"\n", file.Reference)
	}
	return nil
}

// maxSecret is what {{file.…}} takes.
const maxSecret = 1 << 20

// askSecret reads a secret from a terminal, twice and without echo, or all of
// standard input.
func askSecret(s streams, name string) ([]byte, error) {
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		raw, err := io.ReadAll(io.LimitReader(s.in, maxSecret+1))
		if len(raw) > maxSecret {
			return nil, errors.New("the secret is larger than 1 MiB")
		}
		raw = bytes.TrimSuffix(raw, []byte("\n"))
		return bytes.TrimSuffix(raw, []byte("\r")), err
	}
	ask := func(prompt string) ([]byte, error) {
		fmt.Fprint(s.err, prompt)
		defer fmt.Fprintln(s.err)
		return silently(s, f)
	}
	first, err := ask(name + ": ")
	if err != nil {
		return nil, err
	}
	again, err := ask("once more: ")
	if err == nil && !bytes.Equal(first, again) {
		err = errors.New("the two are not the same; nothing was written")
	}
	return first, err
}
