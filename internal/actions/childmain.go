package actions

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// What the child asks of its own runtime, below what the machine enforces.
const (
	softMemory = 96 << 20
	softStack  = 32 << 20
)

// Child is what a binary's main calls before anything else: is reports whether
// this process was started to be a child, and is done with it; the caller exits
// with status.
func Child(args []string) (status int, is bool) {
	if len(args) != 2 || args[1] != childFlag {
		return 0, false
	}
	debug.SetMemoryLimit(softMemory)
	debug.SetMaxStack(softStack)
	runtime.GOMAXPROCS(min(2, runtime.NumCPU()))
	time.Local = time.UTC // as at Auth0, and the zone's file will be out of reach
	lacks := shutIn()
	v := newVM(os.Stdin)
	if v.send(message{Kind: kindReady, Lacks: lacks}) != nil {
		return 1, true
	}
	in := bufio.NewReader(os.Stdin)
	var j job
	b, err := readFrame(in, maxJob)
	if err != nil || json.Unmarshal(b, &j) != nil {
		return 1, true
	}
	go v.listen(in)
	if v.send(v.run(j)) != nil {
		return 1, true
	}
	return 0, true
}

// listen passes answers on. Where the parent hung up there is nobody to work for:
// the process ends whatever the script is doing.
func (v *vm) listen(in io.Reader) {
	for {
		var a answer
		b, err := readFrame(in, maxJob)
		if err != nil || json.Unmarshal(b, &a) != nil {
			os.Exit(1)
		}
		v.answers <- a
	}
}
