package demo

import (
	"fmt"
	"strings"
)

// Step is a line that is to be pasted, in its turn, in the demo's folder.
type Step struct {
	Line   string
	Status int // of the request at the line's end; 0: there is none
	Shows  string
	// Top lines stand in the tour. They need none before them, but the other Top
	// lines of their group.
	Top bool
}

// Group is the lines about one thing. All of them are the file tour/Name.
type Group struct {
	Name, Title string
	Steps       []Step
	Intro       []string // stands above them in the file
}

// Groups are the tour.
func (d *Demo) Groups() []Group {
	return []Group{d.who(), d.signIn(), d.links(), d.textMe(), d.escrow(), d.apiKeys(), d.sharing()}
}

// curl is the beginning of a request's line. -i shows the head of what is refused.
func curl(status int, rest string) string {
	if status >= 400 {
		return "curl -s -i " + rest
	}
	return "curl -s " + rest
}

// says is the line of comment above a step.
func (s Step) says() string {
	if s.Status == 0 {
		return "# " + s.Shows
	}
	return fmt.Sprintf("# %d  %s", s.Status, s.Shows)
}

// writeGroups writes every group as a file for `sh -v`, which shows each line and
// then what comes of it.
func (d *Demo) writeGroups() error {
	for _, g := range d.Groups() {
		var b strings.Builder
		for _, line := range g.Intro {
			b.WriteString("# " + line + "\n")
		}
		for _, s := range g.Steps {
			line := s.Line
			if s.Status >= 400 {
				line += ` -w '\n'` // refusals end without one
			}
			fmt.Fprintf(&b, "%s\n%s\n\n", s.says(), line)
		}
		if err := d.write("tour/"+g.Name, b.String()); err != nil {
			return err
		}
	}
	return nil
}
