package policy

import (
	"strings"

	"cel.dev/cel-go/cel"
)

// condition is one evaluation of an expression: CEL asks it for the variables.
// It lives on one goroutine and makes the maps only when they are read.
type condition struct {
	in     Input
	stand  Standing // a copy, so that the caller's stays off the heap
	params map[string]string
	query  map[string]string
	header map[string]string
}

var _ cel.Activation = (*condition)(nil)

func newCondition(in Input) *condition {
	c := &condition{in: in, stand: *in.Standing}
	c.in.Standing = &c.stand
	return c
}

// ResolveName yields a variable of an expression.
func (c *condition) ResolveName(name string) (any, bool) {
	switch name {
	case "auth":
		return &c.stand, true
	case "request":
		return c, true
	case "params":
		return c.parameters(), true
	case "query":
		return c.queries(), true
	case "now":
		return c.in.Now, true
	}
	return nil, false
}

// Parent is nil: there are no other variables.
func (c *condition) Parent() cel.Activation { return nil }

func (c *condition) parameters() map[string]string {
	if c.params == nil {
		c.params = map[string]string{}
		if c.in.Params != nil {
			c.in.Params.Each(func(name, value string) { c.params[name] = value })
		}
	}
	return c.params
}

// queries has the value of each query parameter. A repeated one is refused
// before evaluation, see expression.ambiguous.
func (c *condition) queries() map[string]string {
	if c.query == nil {
		c.query = map[string]string{}
		c.in.View.EachQuery(func(name, value string) { c.query[name] = value })
	}
	return c.query
}

// headers has the value of each header field under its name in lower case.
func (c *condition) headers() map[string]string {
	if c.header == nil {
		c.header = map[string]string{}
		for _, f := range c.in.View.Header {
			c.header[strings.ToLower(f.Name)] = f.Value
		}
	}
	return c.header
}
