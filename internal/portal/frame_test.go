package portal_test

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestNobodyIsLedToSignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := h.nobody().get("/keys")
	if p.status != 401 && p.status != 302 {
		t.Errorf("%d %s", p.status, p.body)
	}
	p.hides("API keys", "/users")
	// What pages are made of is nobody's, and what they take is only theirs who may.
	if p := h.nobody().sendForm("/keys/new", url.Values{"once": {strings.Repeat("a", 32)}}); p.status != 401 {
		t.Errorf("%d %s", p.status, p.body)
	}
}

func TestWhoIsSignedInIsNamed(t *testing.T) {
	t.Parallel()
	h := open(t)
	olga := h.signedIn()
	olga.see("/keys").holds(`<span class="name">olga@example.com</span>`, `action="/.portreeve/logout?stay=true"`, "<dd>admin</dd>", "<dd>main</dd>")
	h.as("ann@example.com", "member").see("/keys").holds(`<span class="name">ann@example.com</span>`).hides("/.portreeve/logout")
	h.as(hostileMarkup, "member").see("/keys").inert(hostileMarkup)
	h.as(`"<img/src=x>"@example.com`, "member").see("/keys").hides("<img/src")
}

// The portal is for people. A key, whatever it may do, opens no page.
func TestProgramsHaveNoPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	var made struct{ Key string }
	h.admin().api("POST", "/tenant/api-keys", map[string]any{"name": "robot", "scopes": []string{"*", "apikeys:read", "apikeys:write"}}, &made)
	robot := h.nobody()
	robot.fields.Set("Authorization", "Bearer "+made.Key)
	robot.api("GET", "/tenant/api-keys", nil, nil)
	robot.get("/keys").is(403).says("The portal is for people")
	robot.sendForm("/keys/new", url.Values{"once": {strings.Repeat("a", 32)}, "name": {"x"}, "scopes": {"docs:read"}}).is(403)
	if got := h.admin().values("/tenant/api-keys"); strings.Contains(got, "name:x") {
		t.Error("a program made a key by a page")
	}
}

func TestRolesSeeWhatIsLockedAndWhy(t *testing.T) {
	t.Parallel()
	h := open(t)
	shut := func(label string) *regexp.Regexp {
		return regexp.MustCompile(`class="shut">\s*<svg.*?</svg><span>` + label + `</span><span class="visually-hidden"> \(not for you\)`)
	}
	admin := h.admin().see("/keys")
	if strings.Contains(admin.body, `class="locked"`) || shut("API keys").MatchString(oneLine(admin.body)) {
		t.Error("something is locked for an admin")
	}
	admin.holds(`href="/keys/new"`)
	h.as("m", "member").see("/keys").says("This needs the permission apikeys:write; your role is member.").hides(`class="button" href="/keys/new"`)
	h.as("m", "member").see("/keys/new").says("apikeys:write").hides("<form class=\"form\"")
	viewer := h.as("v", "viewer").get("/keys").locked("apikeys:read").says("You may not do this", "You have viewer")
	if !shut("API keys").MatchString(oneLine(viewer.body)) {
		t.Errorf("the menu does not say that keys are locked: %s", viewer.body)
	}
	h.as("n").get("/keys").locked("apikeys:read").says("You have no role here")
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "") }

// A form of another site comes with the reader's cookies, and gets nowhere.
func TestAFormOfAnotherSite(t *testing.T) {
	t.Parallel()
	h := open(t)
	olga := h.signedIn()
	form := olga.see("/keys/new").filled("/keys/new", "name", "forged", "scopes", "docs:read")
	for _, from := range [][]string{
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{},
	} {
		if p := olga.send("POST", "/keys/new", form, from...); p.status != 403 {
			t.Errorf("%v: %d", from, p.status)
		}
	}
	if got := olga.values("/tenant/api-keys"); strings.Contains(got, "forged") {
		t.Error("another site made a key")
	}
	olga.sendForm("/keys/new", form).is(200).says("shown this once") // the form was not spent by them
}

var shownKey = regexp.MustCompile(`prk_test_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}`)

// Whoever clicks twice gets one key, and sees it both times.
func TestADoubleClickMakesOneKey(t *testing.T) {
	t.Parallel()
	h := open(t)
	admin := h.admin()
	form := admin.see("/keys/new").filled("/keys/new", "name", "twice", "scopes", "docs:read")
	var got [8]*page
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			r := h.admin()
			r.fields = admin.fields
			got[i] = r.sendForm("/keys/new", form)
		})
	}
	all.Wait()
	first := shownKey.FindString(got[0].body)
	for i, p := range got {
		if key := shownKey.FindString(p.body); p.status != 200 || key == "" || key != first {
			t.Errorf("click %d: %d %q, the first %q", i+1, p.status, key, first)
		}
	}
	var list struct{ Pagination struct{ Total int } }
	admin.api("GET", "/tenant/api-keys", nil, &list)
	if list.Pagination.Total != 1 {
		t.Errorf("%d keys", list.Pagination.Total)
	}
}

// Somebody goes back and sends the form once more, the same or changed, now or on
// another day: it says so, shows no key and makes none.
func TestAFormThatWasSentBefore(t *testing.T) {
	t.Parallel()
	h := open(t)
	admin := h.admin()
	back := admin.see("/keys/new")
	form := back.filled("/keys/new", "name", "once", "scopes", "docs:read")
	key := shownKey.FindString(admin.sendForm("/keys/new", form).is(200).body)

	changed := back.filled("/keys/new", "name", "again", "scopes", "docs:write")
	admin.sendForm("/keys/new", changed).is(409).says("was sent already").hides(key)
	h.as("other", "admin").sendForm("/keys/new", form).is(409).hides(key) // nobody gets another's answer

	h.stop()
	h.start()
	admin.sendForm("/keys/new", form).is(409).says("was sent already").hides(key)
	var list struct{ Pagination struct{ Total int } }
	admin.api("GET", "/tenant/api-keys", nil, &list)
	if list.Pagination.Total != 1 {
		t.Errorf("%d keys", list.Pagination.Total)
	}
}

func TestAFormWithProblemsIsSentAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := h.admin().post("/keys/new", "name", hostileMarkup, "scopes", "nonsense", "expires", "")
	p.is(422).says("Not done yet", "resource:action").inert(hostileMarkup).holds(`aria-describedby="scopes-issue"`, `id="scopes-issue"`)
	p.post("/keys/new", "name", "right", "scopes", "docs:read").is(200).says("shown this once")
}

func TestFormsThatAreNone(t *testing.T) {
	t.Parallel()
	admin := open(t).admin()
	full := url.Values{"name": {"x"}, "scopes": {"docs:read"}}
	for _, once := range []string{"", "short", strings.Repeat("a", 33)} {
		full.Set("once", once)
		if p := admin.sendForm("/keys/new", full); p.status != 400 {
			t.Errorf("once %q: %d", once, p.status)
		}
	}
	full.Set("once", strings.Repeat("b", 32))
	if p := admin.send("POST", "/keys/new", full, "Content-Type", "application/json"); p.status != 400 {
		t.Errorf("as JSON: %d", p.status)
	}
	many := url.Values{"once": {strings.Repeat("c", 32)}}
	for range 501 {
		many.Add("scopes", "a:b")
	}
	if p := admin.sendForm("/keys/new", many); p.status != 400 {
		t.Errorf("very many fields: %d", p.status)
	}
	bad := url.Values{"once": {strings.Repeat("d", 32)}, "name": {"\xff\xfe"}}
	if p := admin.sendForm("/keys/new", bad); p.status != 400 {
		t.Errorf("no UTF-8: %d", p.status)
	}
	if got := admin.values("/tenant/api-keys"); strings.Contains(got, "name:x") {
		t.Error("a key was made")
	}
}

// An address names a message; what it says otherwise stands on no page.
func TestMessagesAreOurs(t *testing.T) {
	t.Parallel()
	admin := open(t).admin()
	admin.see("/keys?done=saved").holds(`<p class="notice" role="status">Saved.</p>`)
	for _, q := range []string{"?done=Send+your+key+to+evil.example", "?done=%3Cimg%20src%3Dx%3E", "?done=saved&done=saved", "?done="} {
		admin.see("/keys"+q).hides(`class="notice"`, "evil.example", "<img src=x")
	}
}

func TestWhatPagesGoOutWith(t *testing.T) {
	t.Parallel()
	h := open(t)
	const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	for _, p := range []*page{h.admin().get("/keys"), h.as("v", "viewer").get("/keys")} {
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Content-Type": "text/html; charset=utf-8",
		} {
			if got := p.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", p.path, name, got)
			}
		}
		if strings.Contains(p.body, "<style") || strings.Contains(p.body, " style=") || regexp.MustCompile(`<script[^>]*>[^<]|\son[a-z]+=`).MatchString(p.body) {
			t.Errorf("%s has something inline", p.path)
		}
	}
}

// What pages load stands under a digest, for good; under another one, for now.
func TestAssetsStandUnderTheirDigest(t *testing.T) {
	t.Parallel()
	h := open(t)
	body := h.admin().see("/keys").body
	files := regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(files) < 2 {
		t.Fatalf("the page loads %v", files)
	}
	for _, f := range files {
		p := h.nobody().get(f[1])
		if p.status != 200 || p.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || p.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", f[1], p.status, p.header)
		}
		old := regexp.MustCompile(`^/assets/[^/]+/`).ReplaceAllString(f[1], "/assets/AAAAAAAAAAAA/")
		if p := h.nobody().get(old); p.status != 200 || p.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", old, p.status, p.header)
		}
	}
	for _, path := range []string{"/assets/x/none.css", "/assets/x/..%2fportal.go", "/assets/x/escrow%2fmain.js", "/assets/x/templates"} {
		if p := h.nobody().get(path); p.status == 200 {
			t.Errorf("%s is there", path)
		}
	}
}

func TestTheZoneOfTimes(t *testing.T) {
	t.Parallel()
	r := open(t).admin()
	const name = "__Host-portreeve-zone"
	for value, want := range map[string]string{
		"Europe/Berlin": "Europe/Berlin", "Europe%2FBerlin": "Europe/Berlin", "UTC": "UTC", "": "UTC",
		"Local": "UTC", "../../etc/passwd": "UTC", "/etc/localtime": "UTC", "..%2F..%2Fetc%2Fpasswd": "UTC", "%2Fetc%2Flocaltime": "UTC",
		"Mars/Olympus": "UTC", "<script>": "UTC", strings.Repeat("a", 65): "UTC", "posix/../Europe/Berlin": "UTC", `Europe\Berlin`: "UTC",
	} {
		r.cookies[name] = value
		if got := regexp.MustCompile(`data-zone="([^"]*)"`).FindStringSubmatch(r.see("/keys").body); got == nil || got[1] != want {
			t.Errorf("%q: %v, want %s", value, got, want)
		}
	}
	delete(r.cookies, name)
	r.get("/keys", "Cookie", name+"=Europe/Berlin; "+name+"=Asia/Tokyo").is(200).holds(`data-zone="UTC"`)
}
