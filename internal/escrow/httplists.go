package escrow

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	standardPage = 20
	largestPage  = 100
)

// words reads query parameters that are one line each, or absent.
func words(c *gateway.Call, names ...string) (map[string]string, error) {
	out := map[string]string{}
	var f input.Fields
	for _, name := range names {
		v, _, err := input.Query(c.View, name)
		if err != nil {
			return nil, err
		}
		if !line(v, 0, maxHostname) {
			f.Add(name, "must be one line of at most 255 characters")
		}
		out[name] = v
	}
	return out, f.Err()
}

// pageFor reads a page of something that takes a permission.
func pageFor[T, V any](ctx context.Context, u *surface, c *gateway.Call, p Person, permission string, filters []string, view func(T) V,
	list func(tx *store.Tx, q map[string]string, page input.Page) ([]T, int, error)) (request.Reply, error) {
	var rows []T
	var total int
	var page input.Page
	err := u.s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if err := u.s.may(tx, p, permission); err != nil {
			return err
		}
		q, err := words(c, filters...)
		if err != nil {
			return err
		}
		if page, err = input.PageOf(c.View, standardPage, largestPage); err != nil {
			return err
		}
		rows, total, err = list(tx, q, page)
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	views := make([]V, len(rows))
	for i, r := range rows {
		views[i] = view(r)
	}
	return gateway.JSON(200, input.ListOf(views, page, total)), nil
}

func (u *surface) listMachines(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, seeMachines, []string{"search"}, viewMachine, func(tx *store.Tx, q map[string]string, page input.Page) ([]machineRow, int, error) {
		return listMachines(tx, p.Tenant, q["search"], page)
	})
}

func (u *surface) machine(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	var m machineRow
	err := u.s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := u.s.may(tx, p, seeMachines); err != nil {
			return err
		}
		m, err = machineRowOf(tx, p.Tenant, param(c, "id"))
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, viewMachine(m)), nil
}

func (u *surface) listRuns(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, seeMachines, []string{"machine", "status"}, viewRun, func(tx *store.Tx, q map[string]string, page input.Page) ([]runRow, int, error) {
		return listRuns(tx, p.Tenant, q["machine"], q["status"], page)
	})
}

func (u *surface) listSecrets(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, seeSecrets, []string{"machine", "kind"}, viewSecret, func(tx *store.Tx, q map[string]string, page input.Page) ([]secretRow, int, error) {
		return listSecrets(tx, p.Tenant, q["machine"], q["kind"], page)
	})
}

func (u *surface) listConfigs(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	return pageFor(ctx, u, c, p, setConfigs, nil, viewConfig, func(tx *store.Tx, _ map[string]string, page input.Page) ([]MachineConfig, int, error) {
		return listConfigs(tx, p.Tenant, page)
	})
}

func (u *surface) readConfig(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	var m MachineConfig
	err := u.s.d.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err := u.s.may(tx, p, setConfigs); err != nil {
			return err
		}
		m, err = selectConfig(tx, p.Tenant, param(c, "name"))
		return err
	})
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, viewConfig(m)), nil
}

func (u *surface) createConfig(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if err := u.first(ctx, p, setConfigs); err != nil {
		return request.Reply{}, err
	}
	m, _, err := readConfig(c.Body, "")
	if err != nil {
		return request.Reply{}, err
	}
	if m, err = u.s.CreateConfig(ctx, p, m); err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(201, viewConfig(m)), nil
}

func (u *surface) changeConfig(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if err := u.first(ctx, p, setConfigs); err != nil {
		return request.Reply{}, err
	}
	name := param(c, "name")
	if !named(name) {
		return request.Reply{}, ErrNotFound
	}
	m, base, err := readConfig(c.Body, name)
	if err != nil {
		return request.Reply{}, err
	}
	if m, err = u.s.ChangeConfig(ctx, p, m, base); err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, viewConfig(m)), nil
}

// audit is the tenant's trail, the newest first.
func (u *surface) audit(ctx context.Context, c *gateway.Call, p Person) (request.Reply, error) {
	if err := u.first(ctx, p, seeAudit); err != nil {
		return request.Reply{}, err
	}
	q, err := words(c, "action", "target", "result", "actor", "email", "from", "to")
	if err != nil {
		return request.Reply{}, err
	}
	page, err := input.PageOf(c.View, standardPage, largestPage)
	if err != nil {
		return request.Reply{}, err
	}
	f := audit.Filter{Action: q["action"], Target: q["target"], Result: q["result"], Actor: q["actor"], Email: q["email"]}
	var wrong input.Fields
	for name, to := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if q[name] == "" {
			continue
		}
		if *to, err = time.Parse(time.RFC3339, q[name]); err != nil {
			wrong.Add(name, "must be a time like 2026-11-21T12:00:05Z")
		}
	}
	if err := wrong.Err(); err != nil {
		return request.Reply{}, err
	}
	list, total, err := u.s.d.Audit.Page(ctx, p.Tenant, f, page.Limit, page.Offset)
	if err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, input.ListOf(list, page, int(total))), nil
}
