package insight

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/sms"
)

// Links are the sites that are an app's links, with the files as they are served.
type Links struct {
	Sites []LinkSite `json:"sites"`
}

func (s *Service) links(context.Context, *gateway.Call) (request.Reply, error) {
	return gateway.JSON(200, Links{full(told(s.d.Node.Links))}), nil
}

// Texts are the sites that send texts.
type Texts struct {
	Sites []TextFigures `json:"sites"`
}

// TextFigures is a site that sends texts, and what was sent.
type TextFigures struct {
	TextSite
	// Days are the texts that are stored, of all nodes, the newest day first.
	Days []sms.Day `json:"days"`
	// SinceStart are this process's, by outcome: those that were refused too.
	SinceStart []TextCount `json:"sinceStart"`
}

// TextCount is how many requests of a campaign had an outcome. Campaign "" is none
// of the file's.
type TextCount struct {
	Campaign string `json:"campaign"`
	Outcome  string `json:"outcome"`
	N        uint64 `json:"n"`
}

func (s *Service) texts(ctx context.Context, _ *gateway.Call) (request.Reply, error) {
	out := Texts{[]TextFigures{}}
	service := told(s.d.Node.SMS)
	for _, site := range told(s.d.Node.Texts) {
		one := TextFigures{TextSite: site, Days: []sms.Day{}, SinceStart: []TextCount{}}
		if service != nil {
			days, err := service.Days(ctx, site.Site)
			if err != nil {
				return request.Reply{}, err
			}
			one.Days = full(days)
			for _, c := range service.Counts() {
				if c.Site == site.Site {
					one.SinceStart = append(one.SinceStart, TextCount{c.Campaign, c.Outcome, c.N})
				}
			}
		}
		out.Sites = append(out.Sites, one)
	}
	return gateway.JSON(200, out), nil
}
