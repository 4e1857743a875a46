package links

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// services are what an apple-app-site-association file can speak of.
var services = []string{"applinks", "webcredentials", "appclips", "activitycontinuation"}

// CheckApple reads an apple-app-site-association file as Apple's systems do.
func CheckApple(name string, raw []byte) *FileReport {
	r := &FileReport{Vendor: "Apple", File: name}
	if len(raw) > maxAppleFile {
		r.add(Wrong, "", "join paths by wildcards: /a/* for all below it", "the file has %d bytes, and Apple reads no more than 131072 (128 KiB)", len(raw))
	}
	var top map[string]json.RawMessage
	if !r.parse(raw, &top) {
		return r
	}
	r.strangers("", top, services...)
	any := false
	for _, service := range services {
		part, there := top[service]
		if !there {
			continue
		}
		any = true
		if service == "applinks" {
			r.appLinks(part)
		} else {
			r.appList(service, part)
		}
	}
	if !any {
		r.add(Wrong, "", "add applinks with the apps and their paths", "the file names no service, so no app may do anything")
	}
	return r
}

func (r *FileReport) appList(service string, raw json.RawMessage) {
	var part struct {
		Apps json.RawMessage `json:"apps"`
	}
	var apps []string
	if !read(r, raw, service, "an object with apps", &part) || !read(r, part.Apps, service+".apps", "a list of application identifiers", &apps) {
		return
	}
	if len(apps) == 0 {
		r.add(Note, service+".apps", "", "is empty")
		return
	}
	good := r.appIDs(service+".apps", apps)
	if len(good) > 0 {
		what := map[string]string{"webcredentials": "offers this host's passwords", "appclips": "is a clip of this host", "activitycontinuation": "takes over what was begun here"}[service]
		r.add(Fine, service, "", "%s %s", strings.Join(good, ", "), what)
	}
}

// appIDs checks identifiers and returns those that are good.
func (r *FileReport) appIDs(where string, list []string) (good []string) {
	for i, id := range list {
		if why := badAppID(id); why != "" {
			r.add(Wrong, fmt.Sprintf("%s[%d]", where, i), "", "%s: %s", shownValue(id), why)
			continue
		}
		good = append(good, id)
	}
	return good
}

func (r *FileReport) appLinks(raw json.RawMessage) {
	var part map[string]json.RawMessage
	if !read(r, raw, "applinks", "an object with details", &part) {
		return
	}
	r.strangers("applinks", part, "apps", "details", "defaults", "substitutionVariables")
	if apps, there := part["apps"]; there {
		var list []any
		if json.Unmarshal(apps, &list) != nil || len(list) > 0 {
			r.add(Wrong, "applinks.apps", "write \"apps\": [], or leave it out: the apps stand in details", "must be an empty list")
		}
	}
	var list []map[string]json.RawMessage
	if !read(r, part["details"], "applinks.details", "a list of objects, each with appIDs and components", &list) {
		return
	}
	if len(list) == 0 {
		r.add(Wrong, "applinks.details", "add an object with appIDs and components for each app", "is empty: no app opens this host's links")
	}
	for i, d := range list {
		r.details(fmt.Sprintf("applinks.details[%d]", i), d)
	}
}

func (r *FileReport) details(where string, d map[string]json.RawMessage) {
	r.strangers(where, d, "appID", "appIDs", "components", "paths", "defaults")
	var ids []string
	if raw, there := d["appIDs"]; there {
		if read(r, raw, where+".appIDs", "a list of application identifiers", &ids) {
			ids = r.appIDs(where+".appIDs", ids)
		}
	}
	if raw, there := d["appID"]; there {
		var id string
		if read(r, raw, where+".appID", "an application identifier", &id) {
			ids = append(ids, r.appIDs(where+".appID", []string{id})...)
		}
	} else if d["appIDs"] == nil {
		r.add(Wrong, where, `add "appIDs": ["ABCDE12345.com.example.app"]`, "names no app")
	}
	var opens []string
	if raw, there := d["components"]; there {
		opens = r.components(where+".components", raw)
	}
	if raw, there := d["paths"]; there {
		paths := r.paths(where+".paths", raw)
		if d["components"] == nil {
			opens = paths
			r.add(Note, where+".paths", "", "is the form of iOS 12 and earlier; newer ones read it too, but components say more")
		}
	}
	if d["components"] == nil && d["paths"] == nil {
		r.add(Wrong, where, `add "components": [{"/": "/link/*"}]`, "names no paths, so the app opens none")
		return
	}
	if ids = slices.Compact(slices.Sorted(slices.Values(ids))); len(ids) > 0 && len(opens) > 0 {
		r.add(Fine, where, "", "%s opens %s", strings.Join(ids, ", "), few(opens))
	}
}

func (r *FileReport) paths(where string, raw json.RawMessage) (opens []string) {
	var list []string
	if !read(r, raw, where, "a list of paths", &list) {
		return nil
	}
	all := false
	for i, p := range list {
		if why := badPath(p); why != "" {
			r.add(Wrong, fmt.Sprintf("%s[%d]", where, i), "", "%s %s", shownValue(p), why)
			continue
		}
		r.reached(fmt.Sprintf("%s[%d]", where, i), all)
		all = all || p == "*" || p == "/*"
		opens = append(opens, p)
	}
	return opens
}

// reached notes what a pattern before it hides.
func (r *FileReport) reached(where string, all bool) {
	if all {
		r.add(Note, where, "put it before the pattern that matches everything", "is never reached: the first match counts")
	}
}

// components checks the patterns (documentation/bundleresources/applinks/details/components).
func (r *FileReport) components(where string, raw json.RawMessage) (opens []string) {
	var list []map[string]json.RawMessage
	if !read(r, raw, where, "a list of objects", &list) {
		return nil
	}
	all := false
	for i, c := range list {
		at := fmt.Sprintf("%s[%d]", where, i)
		r.reached(at, all)
		r.strangers(at, c, "/", "?", "#", "exclude", "comment", "caseSensitive", "percentEncoded")
		path := "*"
		if v, there := c["/"]; there {
			if !read(r, v, at+"./", "a path pattern", &path) {
				continue
			}
			if strings.HasPrefix(path, "NOT ") {
				r.add(Wrong, at+"./", `write {"/": "…", "exclude": true}`, "NOT belongs to the older form, paths")
				continue
			}
			if why := badPath(path); why != "" && !strings.Contains(path, "$(") {
				r.add(Wrong, at+"./", "", "%s %s", shownValue(path), why)
				continue
			}
		}
		exclude := false
		for _, flag := range []string{"exclude", "caseSensitive", "percentEncoded"} {
			var on bool
			if v, there := c[flag]; there && read(r, v, at+"."+flag, "true or false", &on) && flag == "exclude" {
				exclude = on
			}
		}
		r.query(at+".?", c["?"])
		if v, there := c["#"]; there {
			var s string
			read(r, v, at+".#", "a pattern", &s)
		}
		all = all || (path == "*" || path == "/*") && c["?"] == nil && c["#"] == nil
		if exclude {
			path = "not " + path
		}
		opens = append(opens, path)
	}
	if len(list) == 0 {
		r.add(Note, where, "", "is empty: the app opens none of this host's links")
	}
	return opens
}

// query checks what a query is to look like: one pattern, or one for each name.
func (r *FileReport) query(where string, raw json.RawMessage) {
	if raw == nil {
		return
	}
	var whole string
	var each map[string]string
	if json.Unmarshal(raw, &whole) != nil && json.Unmarshal(raw, &each) != nil {
		r.add(Wrong, where, "", "must be a pattern, or an object with a pattern for each name")
	}
}

// few lists the first of many.
func few(list []string) string {
	const most = 6
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}

func sortedNames(m map[string]json.RawMessage) []string { return slices.Sorted(maps.Keys(m)) }

func contains(list []string, s string) bool { return slices.Contains(list, s) }
