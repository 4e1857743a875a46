package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/actions"
)

type actionsCmd struct {
	Run actionsRunCmd `cmd:"" help:"Run an Auth0 Action on an event, and report every call that it makes."`
}

// Help is shown by --help.
func (actionsCmd) Help() string {
	return `Example:
  portreeve actions run actions/mfa_action.js --event examples/actions/login.json`
}

type actionsRunCmd struct {
	File          string        `arg:"" help:"The Action: JavaScript as it deploys to Auth0."`
	Event         string        `required:"" placeholder:"EVENT.json" help:"The event; - for standard input."`
	Trigger       string        `placeholder:"TRIGGER" help:"post-login or pre-user-registration; by what the file exports unless given."`
	Secrets       string        `placeholder:"FILE.json" help:"event.secrets: an object of text."`
	Configuration string        `placeholder:"FILE.json" help:"event.configuration: an object of text."`
	Egress        []string      `placeholder:"HOST" help:"A host that fetch may reach; may be given more than once."`
	Dev           bool          `help:"Egress may be http, and a private address where it is given as one."`
	Timeout       time.Duration `default:"5s" help:"The wall limit."`
	JSON          bool          `help:"Print the report as JSON."`
}

// Help is shown by --help.
func (actionsRunCmd) Help() string {
	return `Examples:
  portreeve actions run actions/mfa_action.js --event examples/actions/login.json
  portreeve actions run actions/enable_mfa.js --event examples/actions/registration.json --json

Runs the file as a login would: in a process of its own without files, network or
environment, on the event without its credentials. Nothing is changed anywhere.
Exit status: 0 allowed, 1 denied or failed, 2 usage.`
}

// maxActionFile bounds each file that is read.
const maxActionFile = 1 << 20

// Run runs one Action.
func (c actionsRunCmd) Run(s streams) error {
	script := actions.Script{Name: filepath.Base(c.File), Egress: c.Egress, Timeout: c.Timeout}
	src, err := readBounded(c.File)
	if err != nil {
		return err
	}
	script.Source = string(src)
	trigger, err := c.trigger(script)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if script.Secrets, err = readSettings("--secrets", c.Secrets); err != nil {
		return err
	}
	if script.Configuration, err = readSettings("--configuration", c.Configuration); err != nil {
		return err
	}
	event, err := c.event(s)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	e := actions.New(actions.Options{Children: 1, Idle: -1, Plain: c.Dev})
	defer e.Close()
	lacks, err := e.Probe(ctx)
	if err != nil {
		return err
	}
	for _, l := range lacks {
		fmt.Fprintf(s.err, "warning: this machine does not enforce %s\n", l)
	}
	out, err := e.Run(ctx, trigger, []actions.Script{script}, event)
	return c.report(s, trigger, out, err)
}

// trigger is what is given, or what the file exports.
func (c actionsRunCmd) trigger(script actions.Script) (actions.Trigger, error) {
	t := actions.Trigger(c.Trigger)
	switch {
	case c.Trigger == "":
		t = actions.PostLogin
		if actions.Check(script, actions.PreUserRegistration) == nil && actions.Check(script, t) != nil {
			t = actions.PreUserRegistration
		}
	case t.Handler() == "":
		return "", usage("--trigger is post-login or pre-user-registration")
	}
	return t, actions.Check(script, t)
}

func (c actionsRunCmd) event(s streams) (json.RawMessage, error) {
	if c.Event != "-" {
		return readBounded(c.Event)
	}
	return bounded(s.in, "standard input")
}

func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(f, name)
}

func bounded(r io.Reader, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxActionFile+1))
	if err == nil && len(b) > maxActionFile {
		err = fmt.Errorf("%s is larger than 1 MiB", name)
	}
	return b, err
}

// readSettings reads an object of text.
func readSettings(flag, name string) (map[string]string, error) {
	if name == "" {
		return nil, nil
	}
	b, err := readBounded(name)
	if err != nil {
		return nil, err
	}
	var out map[string]string
	if json.Unmarshal(b, &out) != nil || out == nil {
		return nil, fmt.Errorf("%s: %s is no JSON object of text", flag, name)
	}
	return out, nil
}

// actionReport is what --json prints.
type actionReport struct {
	Trigger     actions.Trigger            `json:"trigger"`
	Result      string                     `json:"result"` // allowed, denied, failed
	Reason      string                     `json:"reason,omitempty"`
	UserMessage string                     `json:"userMessage,omitempty"`
	MFA         string                     `json:"mfa,omitempty"`
	App         map[string]json.RawMessage `json:"appMetadata,omitempty"`
	User        map[string]json.RawMessage `json:"userMetadata,omitempty"`
	IDToken     map[string]json.RawMessage `json:"idToken,omitempty"`
	AccessToken map[string]json.RawMessage `json:"accessToken,omitempty"`
	Calls       []actions.CallReport       `json:"calls"`
	Logs        []string                   `json:"logs"`
}

func (c actionsRunCmd) report(s streams, t actions.Trigger, out *actions.Outcome, err error) error {
	r := actionReport{Trigger: t, Result: "allowed", Calls: []actions.CallReport{}, Logs: []string{}}
	var failure *actions.Failure
	switch {
	case errors.As(err, &failure):
		r.Result, r.Reason = "failed", failure.Error()
		if failure.Detail != "" {
			r.Reason += ": " + failure.Detail
		}
	case err != nil:
		return err
	default:
		r.Reason, r.UserMessage, r.MFA = out.Reason, out.UserMessage, out.MFA
		r.App, r.User, r.IDToken, r.AccessToken = out.AppMetadata, out.UserMetadata, out.IDToken, out.AccessToken
		r.Calls, r.Logs = append(r.Calls, out.Calls...), append(r.Logs, out.Logs...)
		if out.Denied {
			r.Result = "denied"
		}
	}
	if c.JSON {
		if err := printJSON(s.out, r); err != nil {
			return err
		}
	} else {
		r.write(s.out)
	}
	if r.Result != "allowed" {
		return errRefused
	}
	return nil
}

func (r actionReport) write(w io.Writer) {
	for _, line := range r.Logs {
		fmt.Fprintf(w, "console  %s\n", printable(line))
	}
	for _, call := range r.Calls {
		args := make([]string, len(call.Args))
		for i, a := range call.Args {
			var plain bytes.Buffer
			_ = json.Compact(&plain, a)
			args[i] = plain.String()
		}
		line := fmt.Sprintf("call     %s(%s)", call.Method, strings.Join(args, ", "))
		if call.Ignored != "" {
			line += "  no effect: " + call.Ignored
		}
		fmt.Fprintln(w, printable(line))
	}
	for _, set := range []struct {
		name   string
		values map[string]json.RawMessage
	}{{"app metadata", r.App}, {"user metadata", r.User}, {"ID token", r.IDToken}, {"access token", r.AccessToken}} {
		for _, key := range slices.Sorted(maps.Keys(set.values)) {
			fmt.Fprintf(w, "set      %s: %s = %s\n", set.name, printable(key), printable(string(set.values[key])))
		}
	}
	if r.MFA != "" {
		fmt.Fprintf(w, "mfa      %s\n", printable(r.MFA))
	}
	fmt.Fprint(w, "result   ", r.Result)
	if r.Reason != "" {
		fmt.Fprint(w, ": ", printable(r.Reason))
	}
	if r.UserMessage != "" {
		fmt.Fprint(w, " (shown: ", printable(r.UserMessage), ")")
	}
	fmt.Fprintln(w)
}
