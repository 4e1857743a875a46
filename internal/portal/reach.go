package portal

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) reach() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{s.get("/reach", "links and texts", showReach)}
}

// linkSite is a site with the links of an app.
type linkSite struct {
	Site, Name, Scheme, Mode string
	Hosts                    []string
	IOS                      []struct {
		AppID string
		Paths []string
	}
	Android []struct {
		Package string
		SHA256  []string
	}
	Rules    []struct{ Match, To string }
	Fallback struct{ IOS, Android, Desktop string }
	Files    []struct{ Path, Body string }
}

// textSite is a site that sends texts.
type textSite struct {
	Site              string
	Hosts, Origins    []string
	Regions           []string
	Campaigns         []struct{ Name, Text string }
	Limits            []textLimit
	Widget, Turnstile bool
	Days              []struct {
		Day, Campaign string
		Sent, Unknown int
	}
	SinceStart []struct {
		Campaign, Outcome string
		N                 int
	}
}

// Chart is what was sent, by day.
func (t textSite) Chart() chart {
	c := chart{Title: "Texts by day", Series: []string{"sent", "unknown"}}
	for _, d := range t.Days {
		day, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			continue
		}
		i := slices.IndexFunc(c.Bars, func(b bar) bool { return b.Day.Equal(day) })
		if i < 0 {
			c.Bars, i = append(c.Bars, bar{day, []int{0, 0}}), len(c.Bars)
		}
		c.Bars[i].Values[0] += d.Sent
		c.Bars[i].Values[1] += d.Unknown
	}
	slices.SortFunc(c.Bars, func(a, b bar) int { return a.Day.Compare(b.Day) })
	return c
}

func showReach(v *visit) (request.Reply, error) {
	var p struct {
		Links struct{ Sites []linkSite }
		Texts struct{ Sites []textSite }
	}
	if err := v.ask("GET", "/.portreeve/insight/links", nil, &p.Links); err != nil {
		return request.Reply{}, err
	}
	if err := v.ask("GET", "/.portreeve/insight/texts", nil, &p.Texts); err != nil {
		return request.Reply{}, err
	}
	return v.show("reach", "Links and texts", p)
}

// textLimit is how many texts something may cause in a while.
type textLimit struct {
	By       string
	WindowMs int64
	Max      int
}

// String is the limit in words. It is for templates.
func (l textLimit) String() string {
	by := map[string]string{"number": " a number", "network": " a network", "prefix": " a block of numbers", "all": " in all"}[l.By]
	return strconv.Itoa(l.Max) + by + " in " + strings.TrimSuffix(strings.TrimSuffix((time.Duration(l.WindowMs)*time.Millisecond).String(), "0s"), "0m")
}
