package links

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
)

// applePaths are where iOS looks for the file: the second one is asked by iOS 9
// to 12 and by tools.
var applePaths = []string{"/.well-known/apple-app-site-association", "/apple-app-site-association"}

// maxAppleFile is how much of a file Apple's systems read, uncompressed.
const maxAppleFile = 128 << 10

// IOSApp is one app of the App Store.
type IOSApp struct {
	// AppID is the app identifier's prefix (usually the team's id), a dot and the bundle identifier: ABCDE12345.com.example.app.
	AppID string `json:"appId" conf:"required"`
	// Paths are those that the app opens, first match first: * is any characters, ? one, and "NOT /x/*" leaves some out. All paths unless written; none with [].
	Paths config.List[string] `json:"paths"`
	// AppClips are the identifiers of the app's clips.
	AppClips config.List[string] `json:"appClips"`
}

// appID is an application identifier: prefix, dot, bundle identifier
// (developer.apple.com/documentation/bundleresources/applinks/details).
var appID = regexp.MustCompile(`^[A-Z0-9]{10}(\.[A-Za-z0-9-]+)+$`)

func badAppID(s string) string {
	switch {
	case appID.MatchString(s) && len(s) <= 11+155:
		return ""
	case strings.Contains(s, "*"):
		return "an app identifier holds no wildcard: write each app"
	case !strings.Contains(s, "."):
		return "must be the prefix of ten characters (usually the team's id), a dot and the bundle identifier: ABCDE12345.com.example.app"
	}
	if prefix, _, _ := strings.Cut(s, "."); len(prefix) != 10 || strings.ToUpper(prefix) != prefix {
		return "must begin with the prefix of ten capital letters and digits (usually the team's id), as in ABCDE12345.com.example.app"
	}
	return "must be ABCDE12345.com.example.app: letters, digits and hyphens, parted by dots"
}

// badPath says why a path pattern is none. Patterns are compared with the path
// alone, and a character beyond ASCII only with its percent-encoding.
func badPath(s string) string {
	p := strings.TrimPrefix(s, "NOT ")
	switch {
	case strings.HasPrefix(strings.ToUpper(s), "NOT") && !strings.HasPrefix(s, "NOT "):
		return `an exclusion is written "NOT /path/*"`
	case !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*"):
		return "must begin with /, or be *"
	case strings.Contains(p, "#"):
		return "must hold no #: only the path is compared"
	case len(p) > 1024:
		return "must be at most 1024 characters"
	case strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "must hold no blanks and no characters beyond ASCII: percent-encode them"
	}
	return ""
}

func validateIOS(apps []IOSApp, r *config.Reporter) {
	if len(apps) > maxApps {
		r.Errorf("", "at most %d apps", maxApps)
		return
	}
	seen := map[string]bool{}
	for i, a := range apps {
		at := config.Index(i)
		if why := badAppID(a.AppID); why != "" {
			r.Errorf(at+".appId", "%s", why)
		} else if seen[a.AppID] {
			r.Errorf(at+".appId", "stands twice")
		}
		seen[a.AppID] = true
		if len(a.Paths) > maxPaths {
			r.Errorf(at+".paths", "at most %d paths", maxPaths)
			continue
		}
		all := false
		for j, p := range a.Paths {
			key := at + ".paths" + config.Index(j)
			if why := badPath(p); why != "" {
				r.Errorf(key, "%s", why)
			} else if all {
				r.Errorf(key, "is never reached: the first match counts, and an earlier path matches all")
			}
			all = all || p == "*" || p == "/*"
		}
		for j, clip := range a.AppClips {
			if why := badAppID(clip); why != "" {
				r.Errorf(at+".appClips"+config.Index(j), "%s", why)
			}
		}
	}
	if n := len(appleFile(apps, true)); n > maxAppleFile {
		r.Errorf("", "makes a file of %d KiB, and Apple reads no more than 128 KiB of one", n>>10)
	}
}

// association is the file, in the form of iOS 13 and later.
type association struct {
	AppLinks       *appLinks `json:"applinks,omitempty"`
	WebCredentials *appList  `json:"webcredentials,omitempty"`
	AppClips       *appList  `json:"appclips,omitempty"`
}

type appLinks struct {
	Details []details `json:"details"`
}

type details struct {
	AppIDs     []string    `json:"appIDs"`
	Components []component `json:"components"`
}

type component struct {
	Path    string `json:"/"`
	Exclude bool   `json:"exclude,omitempty"`
}

type appList struct {
	Apps []string `json:"apps"`
}

// appleFile writes the file; nil where nothing would be in it.
func appleFile(apps []IOSApp, credentials bool) []byte {
	var a association
	for _, app := range apps {
		paths := []string(app.Paths)
		if app.Paths == nil {
			paths = []string{"/*"}
		}
		if len(paths) > 0 {
			if a.AppLinks == nil {
				a.AppLinks = &appLinks{}
			}
			a.AppLinks.Details = append(a.AppLinks.Details, details{AppIDs: []string{app.AppID}, Components: components(paths)})
		}
		if credentials {
			a.WebCredentials = a.WebCredentials.with(app.AppID)
		}
		a.AppClips = a.AppClips.with(app.AppClips...)
	}
	if a == (association{}) {
		return nil
	}
	return encode(a)
}

func (l *appList) with(apps ...string) *appList {
	if len(apps) == 0 {
		return l
	}
	if l == nil {
		l = &appList{}
	}
	l.Apps = append(l.Apps, apps...)
	return l
}

func components(paths []string) (out []component) {
	for _, p := range paths {
		path, exclude := strings.CutPrefix(p, "NOT ")
		out = append(out, component{path, exclude})
	}
	return out
}

// encode writes JSON that people can read too.
func encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil // strings and lists of them
	}
	return []byte(b.String())
}
