package pages

import "github.com/portreeve/portreeve/internal/request"

// Onward answers a form of ours and leads on to a path of the same site. A redirect
// would not do: a browser holds form-action against all that follows from a form,
// and without a word goes nowhere where the application leads to another site.
type Onward struct {
	Host, Heading string
	To            string // a path of this site
	Header        request.Header
}

// Onward makes the page, which goes on by itself.
func (p *Pages) Onward(in Onward) request.Reply {
	reply := p.page(200, p.onward, struct {
		frame
		Onward
		Host string
	}{p.frame(in.Heading, in.Host), in, in.Host})
	reply.Header = append(append(reply.Header, request.Field{Name: "Refresh", Value: "0;url=" + in.To}), in.Header...)
	return reply
}
