package links

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// CheckAndroid reads an assetlinks.json file as Google's systems do.
func CheckAndroid(name string, raw []byte) *FileReport {
	r := &FileReport{Vendor: "Google", File: name}
	var list []json.RawMessage
	if !r.parse(raw, &list) {
		return r
	}
	opens := false
	for i, raw := range list {
		where := fmt.Sprintf("[%d]", i)
		var s struct {
			Include  string          `json:"include"`
			Relation json.RawMessage `json:"relation"`
			Target   json.RawMessage `json:"target"`
		}
		if !read(r, raw, where, "an object with relation and target", &s) {
			continue
		}
		if s.Include != "" {
			r.add(Note, where, "", "includes the statements of %s, which are not looked at here", shownValue(s.Include))
			opens = true
			continue
		}
		var relation []string
		var target map[string]json.RawMessage
		if !read(r, s.Relation, where+".relation", `a list such as ["`+handleURLs+`"]`, &relation) ||
			!read(r, s.Target, where+".target", "an object with namespace, package_name and sha256_cert_fingerprints", &target) {
			continue
		}
		for _, one := range relation {
			if !strings.Contains(one, "/") {
				r.add(Wrong, where+".relation", "write "+handleURLs, "%s is no relation", shownValue(one))
			}
		}
		if name := r.androidTarget(where+".target", target); name != "" {
			if slices.Contains(relation, handleURLs) {
				opens = true
				r.add(Fine, where, "", "%s opens this host's links", name)
			} else {
				r.add(Note, where, "", "%s may do other things than open links: %s", name, few(relation))
			}
		}
	}
	if !opens && r.OK() {
		r.add(Wrong, "", "add a statement with the relation "+handleURLs, "no statement lets an app open this host's links")
	}
	return r
}

// androidTarget checks whom a statement is about and returns the app's package; ""
// where it is no app, or a wrong one.
func (r *FileReport) androidTarget(where string, t map[string]json.RawMessage) string {
	var namespace, name string
	if !read(r, t["namespace"], where+".namespace", `"android_app", or "web"`, &namespace) {
		return ""
	}
	switch namespace {
	case "web":
		return ""
	case "android_app":
	default:
		r.add(Wrong, where+".namespace", "write android_app", "%s is no namespace", shownValue(namespace))
		return ""
	}
	r.strangers(where, t, "namespace", "package_name", "sha256_cert_fingerprints")
	if !read(r, t["package_name"], where+".package_name", "an application id such as com.example.app", &name) {
		return ""
	}
	good := true
	if why := badPackage(name); why != "" {
		r.add(Wrong, where+".package_name", "", "%s %s", shownValue(name), why)
		good = false
	}
	var prints []string
	at := where + ".sha256_cert_fingerprints"
	if !read(r, t["sha256_cert_fingerprints"], at, "a list of fingerprints", &prints) {
		return ""
	}
	if len(prints) == 0 {
		r.add(Wrong, at, "add the SHA-256 fingerprint of the signing certificate; with Play App Signing, the one that the Play Console shows", "is empty: no app can prove that it is meant")
		good = false
	}
	for i, f := range prints {
		one := fmt.Sprintf("%s[%d]", at, i)
		if why := badFingerprint(strings.ToUpper(f)); why != "" {
			r.add(Wrong, one, "", "%s %s", shownValue(f), why)
			good = false
		} else if f != strings.ToUpper(f) {
			r.add(Note, one, "write it in capitals, as keytool prints it", "is in small letters, which not every reader compares")
		}
	}
	if !good {
		return ""
	}
	return name
}
