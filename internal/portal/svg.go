package portal

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// bar is one day of a chart: the values of its series, one upon the other.
type bar struct {
	Day    time.Time
	Values []int
}

// chart draws bars, a day each, with the names of the series and a table for who
// cannot see it.
type chart struct {
	Title  string
	Series []string
	Bars   []bar
}

// Any reports whether there is anything to see. It is for templates.
func (c chart) Any() bool {
	for _, b := range c.Bars {
		for _, v := range b.Values {
			if v > 0 {
				return true
			}
		}
	}
	return false
}

// The chart's own units; the page scales them.
const (
	chartWide, chartHigh = 640.0, 160.0
	chartLeft, chartLow  = 44.0, 20.0
)

// SVG is the drawing. Its colours are classes of the stylesheet.
func (c chart) SVG() template.HTML {
	top := 0
	for _, b := range c.Bars {
		if n := b.sum(); n > top {
			top = n
		}
	}
	step := nice(top)
	ceiling := max(step, (top+step-1)/step*step)
	var s strings.Builder
	num := func(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
	y := func(n int) float64 { return 8 + (chartHigh-chartLow-8)*(1-float64(n)/float64(ceiling)) }
	s.WriteString(`<svg viewBox="0 0 ` + num(chartWide) + ` ` + num(chartHigh) + `" width="640" height="160" aria-hidden="true">`)
	for n := 0; n <= ceiling; n += step {
		s.WriteString(`<path class="grid" d="M` + num(chartLeft) + ` ` + num(y(n)) + `H` + num(chartWide) + `"/><text x="` + num(chartLeft-6) + `" y="` + num(y(n)+4) + `" text-anchor="end">` + rough(n) + `</text>`)
	}
	wide := (chartWide - chartLeft) / float64(max(1, len(c.Bars)))
	every := max(1, (len(c.Bars)+6)/7)
	for i, b := range c.Bars {
		x, under := chartLeft+float64(i)*wide, 0
		for k, v := range b.Values {
			if v <= 0 {
				continue
			}
			lo, hi := y(under), y(under+v)
			s.WriteString(`<rect class="s` + strconv.Itoa(k) + `" x="` + num(x+wide*.12) + `" y="` + num(hi) + `" width="` + num(wide*.76) + `" height="` + num(lo-hi) + `" rx="1.5"/>`)
			under += v
		}
		if i%every == 0 {
			s.WriteString(`<text x="` + num(x+wide/2) + `" y="` + num(chartHigh-5) + `" text-anchor="middle">` + b.Day.Format("2 Jan") + `</text>`)
		}
	}
	s.WriteString(`</svg>`)
	return template.HTML(s.String()) //nolint:gosec // of numbers and month names
}

func (b bar) sum() (n int) {
	for _, v := range b.Values {
		n += v
	}
	return n
}

// rough is a number of an axis: 500, 1.5k, 20k.
func rough(n int) string {
	switch {
	case n < 1000:
		return strconv.Itoa(n)
	case n < 1_000_000:
		return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) + "k"
	}
	return strconv.FormatFloat(float64(n)/1_000_000, 'f', -1, 64) + "M"
}

// nice is a step of an axis that has at most five: 1, 2 or 5 times a power of ten.
func nice(top int) int {
	for p := 1; ; p *= 10 {
		for _, m := range []int{1, 2, 5} {
			if top <= 4*m*p {
				return m * p
			}
		}
	}
}
