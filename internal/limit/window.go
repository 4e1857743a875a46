package limit

import "time"

// maxMoments bounds a window's list. Up to this max every admission has its
// own moment; above, admissions share one per cell of 1/126 of the window.
const maxMoments = 128

// Rule is a limit: at most Max in any span of Window. A span is half open:
// who waits exactly Window after an admission finds it gone. A Max below 1
// admits nobody.
type Rule struct {
	Window time.Duration
	Max    int
}

// window is the admissions of one key that may still count: a ring of moments,
// oldest first. Moments are nanoseconds since the table's origin and never
// decrease. An admission that shares a cell moves the cell's moment forward,
// so it counts at most 1/126 of the window too long, and never too short.
type window struct {
	at    []int64
	n     []uint32 // admissions per moment; nil while each stands for one
	head  int      // index of the oldest
	count int      // moments in the ring
	total int      // admissions in the ring
}

// expire forgets what no span that ends now can hold.
func (w *window) expire(now int64, r Rule) {
	for w.count > 0 && now-w.at[w.head] >= int64(r.Window) {
		w.total -= w.admissions(w.head)
		w.head = (w.head + 1) % len(w.at)
		w.count--
	}
}

func (w *window) admissions(i int) int {
	if w.n == nil {
		return 1
	}
	return int(w.n[i])
}

// moment is the i-th oldest.
func (w *window) moment(i int) int64 { return w.at[(w.head+i)%len(w.at)] }

// last is the latest moment; it is only asked of a window that has one.
func (w *window) last() int64 { return w.moment(w.count - 1) }

// add records one admission.
func (w *window) add(now int64, r Rule) {
	if r.Max > maxMoments {
		if w.n == nil {
			w.n = ones(len(w.at))
		}
		cell := max(1, (int64(r.Window)+125)/126)
		if w.count > 0 && w.last()/cell == now/cell || w.count == maxMoments {
			i := (w.head + w.count - 1) % len(w.at)
			w.at[i] = now
			w.n[i]++
			w.total++
			return
		}
	}
	if w.count == len(w.at) {
		w.grow()
	}
	i := (w.head + w.count) % len(w.at)
	w.at[i] = now
	if w.n != nil {
		w.n[i] = 1
	}
	w.count++
	w.total++
}

// grow doubles the ring: it is as long as its key is busy, and a key that
// stays as busy as it was allocates nothing.
func (w *window) grow() {
	size := max(4, 2*len(w.at))
	at := make([]int64, size)
	k := copy(at, w.at[w.head:])
	copy(at[k:], w.at[:w.head])
	if w.n != nil {
		n := ones(size)
		k := copy(n, w.n[w.head:])
		copy(n[k:], w.n[:w.head])
		w.n = n
	}
	w.at, w.head = at, 0
}

func ones(size int) []uint32 {
	n := make([]uint32, size)
	for i := range n {
		n[i] = 1
	}
	return n
}

// reset empties the ring for another key. A long one is given back.
func (w *window) reset() {
	if len(w.at) > 16 || w.n != nil {
		*w = window{}
		return
	}
	w.head, w.count, w.total = 0, 0, 0
}

// copyOf makes a window of its own with the same admissions.
func (w *window) copyOf() window {
	c := *w
	c.at = append([]int64(nil), w.at...)
	if w.n != nil {
		c.n = append([]uint32(nil), w.n...)
	}
	return c
}

// free returns the moment at which an admission is possible again, of a window
// that is full under r.
func (w *window) free(r Rule) int64 {
	if r.Max < 1 {
		return w.lastOr(0) + int64(r.Window)
	}
	excess := w.total - r.Max + 1 // admissions that must leave
	for i := range w.count {
		if excess -= w.admissions((w.head + i) % len(w.at)); excess <= 0 {
			return w.moment(i) + int64(r.Window)
		}
	}
	return w.lastOr(0) + int64(r.Window)
}

func (w *window) lastOr(moment int64) int64 {
	if w.count == 0 {
		return moment
	}
	return w.last()
}
