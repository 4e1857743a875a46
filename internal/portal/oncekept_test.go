package portal

import (
	"testing"
	"time"
)

// Anybody who is signed in may send forms that are shown again, a megabyte each.
func TestLargeAnswersAreNotKept(t *testing.T) {
	t.Parallel()
	o := newOnce(Deps{Now: time.Now})
	for _, c := range []struct {
		mark string
		size int
		kept bool
	}{{"a page with a key", maxReply, true}, {"somebody's form", maxReply + 1, false}} {
		a, first := o.begin(c.mark)
		if !first {
			t.Fatalf("%s: sent before", c.mark)
		}
		waits, _ := o.begin(c.mark)
		a.reply.Body = make([]byte, c.size)
		o.end(c.mark, a)
		if <-waits.done; len(waits.reply.Body) != c.size {
			t.Errorf("%s: who waited got %d bytes", c.mark, len(waits.reply.Body))
		}
		if _, first := o.begin(c.mark); first == c.kept {
			t.Errorf("%s: kept %v, want %v", c.mark, !first, c.kept)
		}
	}
}
