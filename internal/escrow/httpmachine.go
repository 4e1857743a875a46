package escrow

import (
	"context"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

func (u *surface) pubkey(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	var k Key
	err := u.s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		k, err = currentKey(tx, c.Tenant)
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	v, err := pubkey(c.Tenant, k)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, v), nil
}

// made is 201 for what is new, 200 for what was there.
func made(is bool) int {
	if is {
		return 201
	}
	return 200
}

// machineBy is a machine, and what its tenant may hand over.
func (u *surface) machineBy(c *gateway.Call) By {
	by := byOf(c)
	by.PerDay = u.perDay
	return by
}

func (u *surface) report(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	r, err := ReadReport(c.Body)
	if err != nil {
		return request.Reply{}, err
	}
	run, isNew, err := u.s.Report(ctx, u.machineBy(c), r)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(made(isNew), struct {
		ID        string `json:"id"`
		MachineID string `json:"machineId"`
	}{run.ID, run.Machine}), nil
}

func (u *surface) secret(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	d, err := readDeposit(c.Body)
	if err != nil {
		return request.Reply{}, err
	}
	x, isNew, err := u.s.Escrow(ctx, u.machineBy(c), d)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(made(isNew), struct {
		ID string `json:"id"`
	}{x.ID}), nil
}

func (u *surface) config(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	name, _, err := input.Query(c.View, "machine")
	if err != nil {
		return request.Reply{}, err
	}
	group, _, err := input.Query(c.View, "group")
	if err != nil {
		return request.Reply{}, err
	}
	if name = strings.TrimSpace(name); !line(name, 1, maxHostname) || !line(group, 0, maxGroup) {
		return request.Reply{}, input.Invalid("machine", "is required: a machine's id, serial or hostname")
	}
	m, err := u.s.ConfigFor(ctx, c.Tenant, name, group)
	if err != nil {
		return request.Reply{}, err
	}
	fields := request.Header{{Name: "ETag", Value: m.etag()}, {Name: "Cache-Control", Value: "private, no-cache"}}
	if matches(c.View.Header.Values("If-None-Match"), m.etag()) {
		return request.Reply{Status: 304, Header: fields}, nil
	}
	reply := gateway.JSON(200, struct {
		Name    string `json:"name"`
		Version int    `json:"version"`
		Config  any    `json:"config"`
	}{m.Name, m.Version, m.Config})
	for _, f := range reply.Header {
		if f.Name != "Cache-Control" {
			fields = append(fields, f)
		}
	}
	reply.Header = fields
	return reply, nil
}

// matches is If-None-Match (RFC 9110 section 13.1.2): weak comparison.
func matches(list []string, etag string) bool {
	for _, field := range list {
		for one := range strings.SplitSeq(field, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == etag {
				return true
			}
		}
	}
	return false
}
