// Command portreeve is an identity edge: it stands in front of apps and APIs,
// establishes who each caller is, decides what they may do, and says why.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/portreeve/portreeve/internal/actions"
)

// The exit statuses of every command.
const (
	exitDone    = 0
	exitRefused = 1 // refused or invalid
	exitUsage   = 2
)

// errRefused ends a command with exitRefused after it has said all there is to
// say.
var errRefused = errors.New("refused")

// streams is where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
}

type commands struct {
	Serve     serveCmd     `cmd:"" help:"Serve what the configuration says."`
	Demo      demoCmd      `cmd:"" help:"Everything at once from an empty folder, against built-in stand-ins."`
	Check     checkCmd     `cmd:"" help:"Validate the configuration; print every route with who may use it."`
	Explain   explainCmd   `cmd:"" help:"Decide one request without serving it and show every step, or look up a refusal that happened."`
	Token     tokenCmd     `cmd:"" help:"Print a JWT signed with jwt.secret."`
	Tenants   tenantsCmd   `cmd:"" help:"Make, list, refuse, remove and export tenants."`
	Users     usersCmd     `cmd:"" help:"Add users, the first administrator too; change, refuse and remove them."`
	Roles     rolesCmd     `cmd:"" help:"Make roles of a tenant, and assign them."`
	Keys      keysCmd      `cmd:"" help:"Make, list, rotate and revoke API keys and machine tokens."`
	Secrets   secretsCmd   `cmd:"" help:"Keep secrets in files that the configuration reads."`
	Masterkey masterkeyCmd `cmd:"" help:"Make a master key, seal the store anew with it, and see what is sealed by which."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the store up to this release, or see how far it is."`
	Backup    backupCmd    `cmd:"" help:"Write a consistent copy of the store while it is served, or verify one."`
	Store     storeCmd     `cmd:"" help:"Move a store to another engine or file."`
	Import    importCmd    `cmd:"" help:"Take over what older backends stored or were configured with."`
	Links     linksCmd     `cmd:"" help:"Check the files that make iOS and Android open an app for a host's links."`
	Escrow    escrowCmd    `cmd:"" help:"Seal secrets as a machine does; open them from an export, without a server."`
	Actions   actionsCmd   `cmd:"" help:"Run Auth0 Actions here, on an event of a file."`
	Audit     auditCmd     `cmd:"" help:"Read, verify and export the audit trail; erase a person from it."`
	Docs      docsCmd      `cmd:"" help:"Write the documentation to a folder, to be read without a server."`
	Schema    schemaCmd    `cmd:"" help:"Print the JSON Schema of the configuration file."`
	Version   versionCmd   `cmd:"" help:"Print the release."`
}

func main() {
	actions.Child(os.Args, os.Exit) // does not return in a process that runs one Action
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv}))
}

func run(args []string, s streams) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("portreeve"),
		kong.Description("An identity edge in one binary: who is calling, what may they do, and why not.\n\n"+
			"Start with `portreeve demo`. Every command has --help with an example."),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { exited = code }),
		kong.Bind(s),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(s.err, "portreeve:", err)
		return exitUsage
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(joined(args))
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(s.err, "portreeve: %v\nTry: portreeve --help\n", err)
		return exitUsage
	}
	switch err := ctx.Run(s); {
	case err == nil:
		return exitDone
	case errors.Is(err, errRefused):
		return exitRefused
	default:
		var u usageError
		if errors.As(err, &u) {
			fmt.Fprintf(s.err, "portreeve %s: %v\n", ctx.Command(), err)
			return exitUsage
		}
		fmt.Fprintf(s.err, "portreeve %s: %v\n", ctx.Command(), err)
		return exitRefused
	}
}

// usageError is a mistake in how a command was called.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }
