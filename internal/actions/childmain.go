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

// Child is what a binary's main calls before anything else, with os.Args and
// os.Exit. In a process that was started to be a child it runs one script and
// ends the process; elsewhere it returns at once.
func Child(args []string, exit func(status int)) {
	if len(args) == 2 && args[1] == childFlag {
		exit(beChild(exit))
	}
}

func beChild(exit func(int)) (status int) {
	debug.SetMemoryLimit(softMemory)
	debug.SetMaxStack(softStack)
	runtime.GOMAXPROCS(min(2, runtime.NumCPU()))
	time.Local = time.UTC // as at Auth0, and the zone's file will be out of reach
	lacks := shutIn()
	v := newVM(os.Stdin)
	if v.send(message{Kind: kindReady, Lacks: lacks}) != nil {
		return 1
	}
	in := bufio.NewReader(os.Stdin)
	var j job
	b, err := readFrame(in, maxJob)
	if err != nil || json.Unmarshal(b, &j) != nil {
		return 1
	}
	go v.listen(in, exit)
	if v.send(v.run(j)) != nil {
		return 1
	}
	return 0
}

// listen passes answers on. Where the parent hung up there is nobody to work for:
// the process ends whatever the script is doing.
func (v *vm) listen(in io.Reader, exit func(int)) {
	for {
		var a answer
		b, err := readFrame(in, maxJob)
		if err != nil || json.Unmarshal(b, &a) != nil {
			exit(1)
			return
		}
		v.answers <- a
	}
}
