package links

import (
	"regexp"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
)

// androidPath is where Android looks for the file.
const androidPath = "/.well-known/assetlinks.json"

// handleURLs is the relation that lets an app open a host's links.
const handleURLs = "delegate_permission/common.handle_all_urls"

// AndroidApp is one app of Google Play.
type AndroidApp struct {
	// Package is the app's: com.example.app.
	Package string `json:"package" conf:"required"`
	// SHA256 are the fingerprints of its signing certificates, as keytool and the Play Console print them; with Play App Signing, Google's one.
	SHA256 config.List[string] `json:"sha256" conf:"required"`
}

// packageName is an application id (developer.android.com/build/configure-app-module).
var packageName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)

var fingerprint = regexp.MustCompile(`^[0-9A-F]{2}(:[0-9A-F]{2}){31}$`)

func badPackage(s string) string {
	if packageName.MatchString(s) && len(s) <= 255 {
		return ""
	}
	return "must be an application id such as com.example.app: parts of letters, digits and _, at least two, each beginning with a letter"
}

// badFingerprint says what is wrong with a fingerprint that was folded to capitals.
func badFingerprint(s string) string {
	digits := strings.ReplaceAll(s, ":", "")
	switch {
	case fingerprint.MatchString(s):
		return ""
	case len(digits) == 40 && hexDigits(digits):
		return "is a SHA-1 fingerprint: take the line SHA256 of keytool -list -v"
	case len(digits) == 32 && hexDigits(digits):
		return "is an MD5 fingerprint: take the line SHA256 of keytool -list -v"
	case len(digits) == 64 && hexDigits(digits):
		return "must have a colon between its bytes: AA:BB:…"
	}
	return "must be 32 bytes in hexadecimal with colons between them: AA:BB:…"
}

func hexDigits(s string) bool {
	return strings.Trim(s, "0123456789ABCDEF") == ""
}

func validateAndroid(apps []AndroidApp, r *config.Reporter) {
	if len(apps) > maxApps {
		r.Errorf("", "at most %d apps", maxApps)
		return
	}
	seen := map[string]bool{}
	for i, a := range apps {
		at := config.Index(i)
		if why := badPackage(a.Package); why != "" {
			r.Errorf(at+".package", "%s", why)
		} else if seen[a.Package] {
			r.Errorf(at+".package", "stands twice: put all its fingerprints into one")
		}
		seen[a.Package] = true
		if len(a.SHA256) > maxPaths {
			r.Errorf(at+".sha256", "at most %d fingerprints", maxPaths)
			continue
		}
		for j, f := range a.SHA256 {
			if why := badFingerprint(strings.ToUpper(f)); why != "" {
				r.Errorf(at+".sha256"+config.Index(j), "%s", why)
			}
		}
	}
}

type statement struct {
	Relation []string        `json:"relation"`
	Target   statementTarget `json:"target"`
}

type statementTarget struct {
	Namespace    string   `json:"namespace"`
	Package      string   `json:"package_name"`
	Fingerprints []string `json:"sha256_cert_fingerprints"`
}

// androidFile writes the file; nil where nothing would be in it.
func androidFile(apps []AndroidApp) []byte {
	if len(apps) == 0 {
		return nil
	}
	var list []statement
	for _, a := range apps {
		s := statement{Relation: []string{handleURLs}, Target: statementTarget{Namespace: "android_app", Package: a.Package, Fingerprints: []string{}}}
		for _, f := range a.SHA256 {
			s.Target.Fingerprints = append(s.Target.Fingerprints, strings.ToUpper(f))
		}
		list = append(list, s)
	}
	return encode(list)
}
