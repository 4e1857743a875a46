package usage

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// Call is one decided request.
type Call struct {
	Tenant  string    // of the principal; empty: nobody's call
	Key     string    // id of the key or machine token; empty: a person's call
	Machine bool      // the key is a machine token
	Status  int       // of the answer; 0: the connection was cut before there was one
	Bytes   int64     // of the answer's body
	At      time.Time // when it ended
}

// classes are the status classes, 1xx to 5xx.
const classes = 5

// Counts are calls by status class and the bytes of their answers.
type Counts struct {
	Classes [classes]int64 // 1xx … 5xx
	Bytes   int64
}

// Calls is their number.
func (c Counts) Calls() int64 {
	n := int64(0)
	for _, k := range c.Classes {
		n += k
	}
	return n
}

func (c *Counts) add(o Counts) {
	for i := range c.Classes {
		c.Classes[i] += o.Classes[i]
	}
	c.Bytes += o.Bytes
}

// line is what one counter is for.
type line struct {
	tenant, key string
	machine     bool
	hour        int64 // unix milliseconds of its beginning
}

type counter struct {
	Counts
	last int64 // unix milliseconds of the latest call
}

const (
	shards      = 32
	keysPerPart = 2048 // lines of keys in a shard: 65,536 in all
	mostPerPart = 4096 // lines of any kind in a shard
)

// Counter counts in memory. It is bounded: where there is no room for one more
// key's line, the call stands in the tenant's own; where there is none for that
// either, it is lost, and Lost says so. Methods are safe for concurrent use.
type Counter struct {
	seed maphash.Seed
	part [shards]shard
	lost atomic.Int64
}

// shard is padded so that two of them never share a cache line.
type shard struct {
	mu    sync.Mutex
	lines map[line]*counter
	keys  int // lines that are a key's
	_     [64]byte
}

// NewCounter makes an empty Counter.
func NewCounter() *Counter {
	c := &Counter{seed: maphash.MakeSeed()}
	for i := range c.part {
		c.part[i].lines = map[line]*counter{}
	}
	return c
}

// Count adds a call. It does no I/O, and takes a lock that only calls of keys
// of the same shard take.
func (c *Counter) Count(call Call) {
	if call.Tenant == "" {
		return
	}
	at := call.At.UnixMilli()
	l := line{tenant: call.Tenant, key: call.Key, machine: call.Machine, hour: at - at%hourMs}
	one := counter{last: at}
	one.Bytes = max(call.Bytes, 0)
	one.Classes[class(call.Status)] = 1
	if !c.add(l, &one) {
		c.lost.Add(1)
	}
}

// Lost is how many calls found no room at all.
func (c *Counter) Lost() int64 { return c.lost.Load() }

const hourMs = int64(time.Hour / time.Millisecond)

// class is the index of a status's class. What got no answer counts as a 5xx:
// the caller saw a failure.
func class(status int) int {
	if status < 100 || status > 599 {
		return classes - 1
	}
	return status/100 - 1
}

// add merges what was counted into a line, or into its tenant's own.
func (c *Counter) add(l line, more *counter) bool {
	if c.put(l, more) {
		return true
	}
	if l.key == "" {
		return false
	}
	l.key, l.machine = "", false
	return c.put(l, more)
}

func (c *Counter) put(l line, more *counter) bool {
	s := &c.part[c.place(&l)]
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.lines[l]
	if n == nil {
		if len(s.lines) >= mostPerPart || l.key != "" && s.keys >= keysPerPart {
			return false
		}
		n = &counter{}
		s.lines[l] = n
		if l.key != "" {
			s.keys++
		}
	}
	n.Counts.add(more.Counts)
	n.last = max(n.last, more.last)
	return true
}

func (c *Counter) place(l *line) uint64 {
	h := maphash.String(c.seed, l.tenant)
	if l.key != "" {
		h ^= maphash.String(c.seed, l.key)
	}
	return h % shards
}

// take empties the Counter and returns what was in it.
func (c *Counter) take() map[line]*counter {
	out := map[line]*counter{}
	for i := range c.part {
		s := &c.part[i]
		s.mu.Lock()
		full := s.lines
		s.lines, s.keys = make(map[line]*counter, len(full)/2), 0
		s.mu.Unlock()
		for l, n := range full {
			out[l] = n
		}
	}
	return out
}
