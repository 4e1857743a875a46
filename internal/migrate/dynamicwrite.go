package migrate

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// lost are the parameters of Dynamic Links that rules have not, and what to do
// about it.
var lost = map[string]string{
	"amv": "a minimum version: the app itself says that it is too old", "imv": "a minimum version: the app itself says that it is too old",
	"ipfl": "a fallback for iPads: they go where iPhones go", "ipbi": "an app for iPads: it is the same as for iPhones",
	"efr": "a redirect without the page: mode: redirect is for all links of the site",
	"st":  "a preview: put it on the page that the link is of", "sd": "a preview: put it on the page that the link is of", "si": "a preview: put it on the page that the link is of",
	"utm_source": "a campaign: links hand on what stands in their own query", "utm_medium": "a campaign: links hand on what stands in their own query",
	"utm_campaign": "a campaign: links hand on what stands in their own query", "utm_term": "a campaign: links hand on what stands in their own query",
	"utm_content": "a campaign: links hand on what stands in their own query",
	"at":          "an affiliate's token: put it into fallback.ios", "ct": "a campaign: put ct into the links' own query", "mt": "a media type: put it into fallback.ios", "pt": "a provider's token: put it into fallback.ios",
}

var (
	storeNumber = regexp.MustCompile(`^[0-9]{1,20}$`)
	javaPackage = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)
	bundleID    = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// write makes the configuration of what was taken.
func (d *dynamicLinks) write(file string) ([]byte, *Report, error) {
	links := object()
	links.set("scheme", text(d.scheme))
	fallback := object()
	if id := d.only("isi", storeNumber.MatchString); id != "" {
		fallback.set("ios", text("https://apps.apple.com/app/id"+id))
	} else if u := d.only("ifl", d.elsewhere); u != "" {
		fallback.set("ios", text(again(u)))
	}
	if name := d.only("apn", javaPackage.MatchString); name != "" {
		fallback.set("android", text("https://play.google.com/store/apps/details?id="+name))
	} else if u := d.only("afl", d.elsewhere); u != "" {
		fallback.set("android", text(again(u)))
	}
	desktop := desktopPage
	if u := d.only("ofl", d.elsewhere); u != "" {
		desktop = again(u)
	}
	fallback.set("desktop", text(desktop))
	links.set("fallback", fallback)
	links.set("rules", &tree{kind: isList, list: d.rules})
	doc := object()
	doc.set("links", links)
	for _, name := range names(keysOf(d.lost)) {
		d.Left = append(d.Left, Line{What: "links with " + name, Count: d.lost[name], Why: lost[name]})
	}
	d.took("rules", len(d.rules), "")
	d.Changed = len(d.rules) > 0
	out, err := doc.yaml(d.heading(file))
	return out, d.finish(), err
}

// only is the commonest value of a column; links with another one are reported.
func (d *dynamicLinks) only(name string, good func(string) bool) string {
	best := d.most(name)
	if best == "" {
		return ""
	}
	if !good(best) {
		d.left("column "+name, "", "its commonest value cannot be used: "+clip(oneLine(best)))
		return ""
	}
	others := 0
	for value, n := range d.often[name] {
		if value != best {
			others += n
		}
	}
	if others > 0 {
		d.Left = append(d.Left, Line{What: "links with another " + name, Count: others, Why: "a site has one fallback of each kind: " + clip(oneLine(best)) + " is the commonest"})
	}
	return best
}

// elsewhere reports whether a URL can be a fallback: of a host by name, and not
// of the links' own, where nothing else will stand.
func (d *dynamicLinks) elsewhere(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return false
	}
	_, ok := request.CanonicalHost(u.Host)
	return ok && !strings.EqualFold(u.Host, d.host)
}

// desktopPage is what fallback.desktop says for Portreeve's own page.
const desktopPage = "page"

// again writes a URL that elsewhere took.
func again(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return desktopPage
	}
	return spelt(u.Scheme, u)
}

func (d *dynamicLinks) heading(file string) string {
	s := fmt.Sprintf("Written by `portreeve import dynamic-links` from %s. It is the site\nof %s, and of nothing else: put it at the top level, or below sites with\nhosts: [%s]. Check it with `portreeve check`.\n",
		clip(oneLine(file)), clip(oneLine(d.host)), clip(oneLine(d.host)))
	var apps []string
	if id := d.most("ibi"); bundleID.MatchString(id) {
		apps = append(apps, `ios: [{appId: TEAMID.`+id+`, paths: ["/*"]}]          # the team's id, ten characters`)
	}
	if name := d.most("apn"); javaPackage.MatchString(name) {
		apps = append(apps, `android: [{package: `+name+`, sha256: ["AA:BB:…"]}]   # of the signing certificate`)
	}
	if len(apps) > 0 {
		s += "What no export holds, for links: so that the systems open the app at once:\n  " + strings.Join(apps, "\n  ") + "\n"
	}
	return s
}
