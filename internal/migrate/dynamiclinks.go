package migrate

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// Bounds of an export of Firebase Dynamic Links.
const (
	maxExport = 64 << 20
	maxCell   = 4 << 10
	maxLinks  = 10_000 // what links.rules takes
)

// dynamicLinks is one import of an export, which has the links of one domain.
type dynamicLinks struct {
	Report
	scheme string
	column map[string]int // by the parameter's name: link, apn, …
	host   string
	rules  []*tree
	seen   map[string]bool
	// often counts the values of a column over all links that were taken.
	often map[string]map[string]int
	lost  map[string]int // parameters that links of the configuration have not
}

// DynamicLinks turns the export of Firebase Dynamic Links
// (firebase.google.com/support/guides/export-dynamic-links) into the key links of
// a site: a rule for each short link, which leads to the deep link with the app's
// scheme in place of https. scheme is that one; "": the export's own.
func DynamicLinks(src []byte, file, scheme string) (out []byte, r *Report, err error) {
	if len(src) > maxExport {
		return nil, nil, errors.New("the file is larger than 64 MiB")
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))))
	in.FieldsPerRecord, in.ReuseRecord = -1, true
	head, err := in.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("the file is no CSV: %w", badCSV(err))
	}
	d := &dynamicLinks{column: columnsOf(head), seen: map[string]bool{}, often: map[string]map[string]int{}, lost: map[string]int{}}
	for _, need := range []string{"short", "link"} {
		if _, ok := d.column[need]; !ok {
			return nil, nil, errors.New("the file has no columns Short link and Deep link, which an export of Dynamic Links begins with")
		}
	}
	type row struct {
		line  int
		cells []string
	}
	var rows []row
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the file is no CSV: %w", badCSV(err))
		}
		line, _ := in.FieldPos(0)
		if len(rows) == maxLinks {
			d.left("links", where(line), fmt.Sprintf("one file takes %d: export fewer, or put what is common to them into one rule", maxLinks))
			break
		}
		rows = append(rows, row{line, slices.Clone(cells)})
	}
	if d.scheme = scheme; scheme == "" {
		for _, row := range rows {
			d.count("ius", d.cell(row.cells, "ius"))
			d.count("ibi", d.cell(row.cells, "ibi"))
		}
		if d.scheme = d.most("ius"); d.scheme == "" {
			d.scheme = strings.ToLower(d.most("ibi")) // what Dynamic Links took where ius was not set
		}
		d.often = map[string]map[string]int{}
	}
	if !ownScheme.MatchString(d.scheme) {
		return nil, nil, errors.New("the export names no scheme of the app: name it with --scheme")
	}
	for _, row := range rows {
		d.link(row.line, row.cells)
	}
	return d.write(file)
}

var ownScheme = regexp.MustCompile(`^[a-z][a-z0-9+.-]{0,63}$`)

// badCSV says where, and nothing of what stands there.
func badCSV(err error) error {
	if p := (*csv.ParseError)(nil); errors.As(err, &p) {
		return fmt.Errorf("line %d: %w", p.Line, p.Err)
	}
	if errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	}
	return err
}

// inBrackets is the parameter that a column's head names: "Android package name (apn)".
var inBrackets = regexp.MustCompile(`\(([a-z_]+)\)`)

// columnsOf finds the columns by their heads, however those are spelt.
func columnsOf(head []string) map[string]int {
	out := map[string]int{}
	for i, h := range head {
		name := ""
		if m := inBrackets.FindStringSubmatch(h); m != nil {
			name = m[1]
		} else {
			plain := strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
					return r
				}
				return -1
			}, strings.ToLower(h))
			if name = plain; heads[plain] != "" {
				name = heads[plain]
			}
		}
		if _, twice := out[name]; !twice {
			out[name] = i
		}
	}
	return out
}

// heads are the columns of the export.
var heads = map[string]string{
	"shortlink": "short", "deeplink": "link", "androidpackagename": "apn", "androidfallbacklink": "afl", "androidminimumpackageversioncode": "amv",
	"iosbundleid": "ibi", "iosfallbacklink": "ifl", "ioscustomscheme": "ius", "iosipadfallbacklink": "ipfl", "iosipadbundleid": "ipbi", "iosappstoreid": "isi",
	"iosminimumversion": "imv", "enableforcedredirect": "efr", "desktopfallbacklink": "ofl", "socialtitle": "st", "socialdescription": "sd", "socialimagelink": "si",
	"utmsource": "utm_source", "utmmedium": "utm_medium", "utmcampaign": "utm_campaign", "utmterm": "utm_term", "utmcontent": "utm_content",
	"itunesconnectat": "at", "itunesconnectct": "ct", "itunesconnectmt": "mt", "itunesconnectpt": "pt", "archived": "archived", "linkname": "name",
}

func (d *dynamicLinks) cell(cells []string, name string) string {
	i, ok := d.column[name]
	if !ok || i >= len(cells) || len(cells[i]) > maxCell {
		return ""
	}
	return strings.TrimSpace(cells[i])
}

func (d *dynamicLinks) count(name, value string) {
	if value == "" {
		return
	}
	if d.often[name] == nil {
		d.often[name] = map[string]int{}
	}
	d.often[name][value]++
}

// most is the commonest value of a column, the first by the alphabet of those.
func (d *dynamicLinks) most(name string) (best string) {
	n := 0
	for _, value := range names(keysOf(d.often[name])) {
		if c := d.often[name][value]; c > n {
			best, n = value, c
		}
	}
	return best
}

func keysOf(m map[string]int) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		out[k] = true
	}
	return out
}

// link takes one row.
func (d *dynamicLinks) link(line int, cells []string) {
	short, deep := d.cell(cells, "short"), d.cell(cells, "link")
	leave := func(why string) { d.left("link "+clip(oneLine(short)), where(line), why) }
	if yes := strings.ToLower(d.cell(cells, "archived")); yes == "true" || yes == "yes" || yes == "1" {
		leave("it is archived: it led nowhere before")
		return
	}
	u, err := url.Parse(short)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" {
		leave("its short link is no URL")
		return
	}
	if d.host == "" {
		d.host = strings.ToLower(u.Host)
	}
	if strings.ToLower(u.Host) != d.host {
		leave("it is of another domain than those before it, which is another site's")
		return
	}
	match := u.EscapedPath()
	p, err := gateway.ParsePattern(match)
	if err != nil || match == "/" || slices.ContainsFunc(p.Segments(), func(s gateway.PatternSegment) bool {
		return s.Param != "" || s.Literal == ".portreeve" || s.Literal == ".well-known" || s.Literal == "apple-app-site-association"
	}) {
		leave("its path cannot be a rule's")
		return
	}
	asked := literals(p) // however it is escaped
	to, why := d.target(deep)
	switch {
	case why != "":
		leave(why)
		return
	case d.seen[asked]:
		leave("its short link stands in the file before")
		return
	}
	d.seen[asked] = true
	rule := object()
	if name := d.cell(cells, "name"); name != "" {
		rule.comment = clip(oneLine(name))
	}
	rule.set("match", text(match))
	rule.set("to", text(to))
	d.rules = append(d.rules, rule)
	for _, name := range []string{"apn", "ibi", "isi", "ifl", "afl", "ofl"} {
		d.count(name, d.cell(cells, name))
	}
	for name := range lost {
		if v := d.cell(cells, name); v != "" && v != "0" && !strings.EqualFold(v, "false") {
			d.lost[name]++
		}
	}
}

// literals are a pattern's segments.
func literals(p *gateway.Pattern) string {
	var b strings.Builder
	for _, s := range p.Segments() {
		b.WriteString("/" + s.Literal)
	}
	return b.String()
}

// target is a deep link with the app's scheme in place of https: all of it is
// kept, so that the app finds what it was handed before.
func (d *dynamicLinks) target(deep string) (to, why string) {
	u, err := url.Parse(deep)
	switch {
	case deep == "":
		return "", "it has no deep link"
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return "", "its deep link is no URL over https"
	case u.User != nil || strings.Contains(u.Host, ":"):
		return "", "its deep link holds a user, a port or an address, which no scheme of an app's has"
	case twoReadings(u.Path):
		return "", "its deep link has a path that can be read in two ways"
	}
	return spelt(d.scheme, u), ""
}

// twoReadings reports whether a path holds dot segments, or what some take for
// one, or controls: links makes none such.
func twoReadings(path string) bool {
	for seg := range strings.SplitSeq(path, "/") {
		if request.HidesDots(seg) || !utf8.ValidString(seg) || strings.ContainsFunc(seg, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			return true
		}
	}
	return false
}

// spelt writes a URL with another scheme, so that it means one thing: to a file that
// it stands in, too.
func spelt(scheme string, u *url.URL) string {
	s := scheme + "://" + strings.ToLower(u.Host) + u.EscapedPath()
	if u.RawQuery != "" {
		s += "?" + u.RawQuery
	}
	if f := u.EscapedFragment(); f != "" {
		s += "#" + strings.ReplaceAll(f, "#", "%23")
	}
	return escapeRest(s)
}

// escapeRest percent-encodes what a URL cannot hold: blanks, quotes, braces, which
// would be templates, and what is not ASCII.
func escapeRest(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])):
			b.WriteString("%25")
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}$", c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
