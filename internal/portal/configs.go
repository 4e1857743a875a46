package portal

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) configs() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/configs", "list configurations of machines", listConfigs),
		s.get("/configs/new", "make a configuration of machines", newConfig),
		s.post("/configs/new", "make a configuration of machines", createConfig),
		s.get("/configs/edit/:name", "show a configuration of machines", editConfig), // a configuration may be called new
		s.post("/configs/edit/:name", "change a configuration of machines", changeConfig),
	}
}

// machineConfig is one as /v1/configs shows it.
type machineConfig struct {
	tagged
	Name    string
	Version int
	Match   struct{ Machine, Group string }

	Disabled  bool
	Config    json.RawMessage
	UpdatedAt *time.Time
}

// For says for which machines it is.
func (c machineConfig) For() string {
	switch m := c.Match; {
	case m.Machine != "" && m.Group != "":
		return m.Machine + ", while it is in " + m.Group
	case m.Machine != "":
		return m.Machine
	case m.Group != "":
		return "group " + m.Group
	}
	return "every machine"
}

// State is what a badge says of it.
func (c machineConfig) State() badgePart {
	if c.Disabled {
		return badgePart{"off", "handed out to nobody"}
	}
	return badgePart{"ok", "in use"}
}

func listConfigs(v *visit) (request.Reply, error) {
	var list listOf[machineConfig]
	if err := v.ask("GET", v.target("/v1/configs", "search"), nil, &list); err != nil {
		return request.Reply{}, err
	}
	return v.show("configs", "Configurations", struct {
		Configs []machineConfig
		Pager   pager
		Make    lock
		Search  string
	}{list.Data, v.pager(list.Pagination, len(list.Data), "search"), v.may("POST", "/v1/configs"), v.query("search")})
}

// configPage is a configuration in a form.
type configPage struct {
	standing
	New      bool
	Save     lock
	Config   machineConfig // the latest version
	Shown    machineConfig // the version whose content stands in the form
	Text     string
	Versions []machineConfig
	Pager    pager
}

// Old reports whether the form holds an older version than the latest.
func (p configPage) Old() bool { return !p.New && p.Shown.Version != p.Config.Version }

// Next is the version that saving makes.
func (p configPage) Next() int { return p.Config.Version + 1 }

func newConfig(v *visit) (request.Reply, error) {
	return v.show("config", "Make a configuration", configPage{New: true, Save: v.may("POST", "/v1/configs"), Text: "{\n  \n}"})
}

func createConfig(v *visit, f *form) (request.Reply, error) {
	err := v.saveConfig(f, "/v1/configs", map[string]any{"name": f.get("name")})
	switch {
	case err == nil:
		return v.done("/configs/edit/"+segment(f.get("name")), "created")
	case configProblems(f, err):
		return v.again(f, "config", "Make a configuration", configPage{New: true, Save: v.may("POST", "/v1/configs")})
	}
	return request.Reply{}, err
}

func editConfig(v *visit) (request.Reply, error) {
	page, err := v.config()
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("config", page.Config.Name, page)
}

func changeConfig(v *visit, f *form) (request.Reply, error) {
	name := v.param("name")
	err := v.saveConfig(f, "/v1/configs/"+segment(name), map[string]any{})
	if err == nil {
		return v.done("/configs/edit/"+segment(name), "saved")
	}
	reply, ok, errMeanwhile := v.configEdit(f).meanwhile(v, f, err)
	switch {
	case ok:
		return reply, errMeanwhile
	case !configProblems(f, err):
		return request.Reply{}, err
	}
	page, err := v.config()
	if err != nil {
		return request.Reply{}, err
	}
	page.standing = f.since(page.Config.tagged)
	return v.again(f, "config", name, page)
}

// configEdit is what a form that changes a configuration is about. Its page is the
// form itself.
func (v *visit) configEdit(f *form) edit[configPage] {
	name := v.param("name")
	return edit[configPage]{one: "configuration", action: "machine_config.", target: name, page: v.path(), again: v.path(), list: "/configs", read: v.config,
		fields: func(p configPage) []compared {
			c := p.Config
			return []compared{f.typed("Machine", "machine", c.Match.Machine), f.typed("Group", "group", c.Match.Group), f.typedJSON("Configuration", "config", c.Config),
				f.checked("Handed out to nobody", "disabled", c.Disabled)}
		},
		changed: func(p configPage) *time.Time { return p.Config.UpdatedAt },
		shown:   func(p configPage) (string, string, any) { return "config", name, p }}
}

// config reads a configuration, the version that the address names, and a page
// of its versions.
func (v *visit) config() (p configPage, err error) {
	at := "/v1/configs/" + segment(v.param("name"))
	if err := v.read(at, &p.Config.tagged, &p.Config); err != nil {
		return p, err
	}
	p.was = p.Config.tag
	p.Shown = p.Config
	if n := v.query("version"); n != "" {
		if err := v.askSame(at+"?"+url.Values{"version": {n}}.Encode(), &p.Shown); err != nil {
			return p, err
		}
	}
	var list listOf[machineConfig]
	if err := v.askSame(v.target(at+"/versions"), &list); err != nil {
		return p, err
	}
	p.Versions, p.Pager = list.Data, v.pager(list.Pagination, len(list.Data))
	p.Text, p.Save = legible(p.Shown.Config), v.may("POST", at)
	return p, nil
}

func (v *visit) askSame(target string, out any) error { return v.ask("GET", target, nil, out) }

// errBadConfig says that the form shows what is wrong already.
var errBadConfig = errors.New("the configuration is no JSON")

// saveConfig sends what the form says. The configuration goes as it was written:
// json.Marshal would write < and > otherwise than its author did.
func (v *visit) saveConfig(f *form, target string, in map[string]any) error {
	text := f.Get("config")
	if where := notJSON(text); where != "" {
		f.wrong("config", where)
		return errBadConfig
	}
	in["match"] = map[string]string{"machine": f.get("machine"), "group": f.get("group")}
	in["disabled"] = f.get("disabled") != ""
	in["config"] = json.RawMessage(text)
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(in); err != nil {
		return err
	}
	_, err := v.put(gateway.Question{Method: "POST", Target: target, Body: body.Bytes(), Match: f.get("was")}, nil)
	return err
}

// configProblems takes up what is wrong with the form.
func configProblems(f *form, err error) bool {
	switch {
	case errors.Is(err, errBadConfig):
		return true
	case is(err, fault.TooLarge):
		f.wrong("config", "has more than 256 KiB")
		return true
	}
	var no *refusal
	if errors.As(err, &no) {
		switch no.Fault.Code {
		case "config_taken":
			f.wrong("name", "another configuration is called so")
			return true
		case "config_match_taken":
			f.wrong("machine", "another configuration is for the same machines")
			return true
		}
	}
	return f.problems(err, "match.machine", "machine", "match.group", "group")
}
