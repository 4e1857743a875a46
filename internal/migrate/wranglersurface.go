package migrate

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// toFill begins the comment above what the worker's file does not say. What stands
// there does not load, so that `portreeve check` points at it.
const toFill = "To fill in: "

// worker says which of the edge's workers this is, and by what: what only one of
// them has, else what it is called. "": none of them.
func (w *wrangler) worker() (kind, by string) {
	name, _ := w.root.get("name").text()
	if n, ok := w.env.get("name").text(); ok {
		name = n
	}
	name = strings.ToLower(name)
	called := func(s string) bool { return name == s || strings.HasSuffix(name, "-"+s) }
	for _, v := range []string{"ENABLE_CASTLE_BLOCKING", "CASTLE_API_SECRET", "AUTH0_MFA_AUDIENCE", "AUTH0_MANAGEMENT_CLIENT_ID", "USER_SERVICE_URL"} {
		if w.has(v) {
			return "login", "by " + v
		}
	}
	switch {
	case w.has("AUTH0_BASE_URL") && (called("login") || name == "auth" || name == "prod-auth" || name == "test-auth"):
		return "login", "by its name"
	case w.has("AUTH0_BASE_URL"):
		return "backoffice", "by AUTH0_BASE_URL"
	case w.has("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID", "TWILIO_MESSAGING_SERVICE_SID"):
		return "sms", "by its variables of Twilio's"
	case called("sms"), called("links"):
		return name[strings.LastIndexByte(name, '-')+1:], "by its name"
	}
	return "", ""
}

// surface is the key that a worker's site gets.
func (w *wrangler) surface(kind string) *tree {
	switch kind {
	case "backoffice":
		return w.provider()
	case "login":
		return w.login()
	case "sms":
		return w.sms()
	case "links":
		return w.links()
	}
	return nil
}

// provider are the settings that login and backoffice have in common.
func (w *wrangler) provider() *tree {
	t := object()
	base := w.value("AUTH0_BASE_URL", false)
	if strings.HasPrefix(base, "http") {
		base = strings.TrimSuffix(base, "/")
	}
	t.set("baseURL", text(base))
	w.put(t, "clientId", "AUTH0_CLIENT_ID")
	w.putSecret(t, "clientSecret", "AUTH0_CLIENT_SECRET")
	w.put(t, "audience", "AUTH0_AUTHENTICATION_AUDIENCE")
	w.put(t, "connection", "AUTH0_CONNECTION")
	return t
}

func (w *wrangler) login() *tree {
	t := w.provider()
	if w.has("AUTH0_MFA_AUDIENCE", "AUTH0_MFA_CLIENT_ID", "AUTH0_MFA_CLIENT_SECRET") {
		mfa := object()
		if w.has("AUTH0_MFA_AUDIENCE") {
			w.put(mfa, "audience", "AUTH0_MFA_AUDIENCE")
		}
		if w.has("AUTH0_MFA_CLIENT_ID", "AUTH0_MFA_CLIENT_SECRET") {
			w.put(mfa, "clientId", "AUTH0_MFA_CLIENT_ID")
			w.putSecret(mfa, "clientSecret", "AUTH0_MFA_CLIENT_SECRET")
		}
		t.set("mfa", mfa)
	}
	if w.has("AUTH0_MANAGEMENT_CLIENT_ID", "AUTH0_MANAGEMENT_CLIENT_SECRET") {
		m := object()
		w.put(m, "clientId", "AUTH0_MANAGEMENT_CLIENT_ID")
		w.putSecret(m, "clientSecret", "AUTH0_MANAGEMENT_CLIENT_SECRET")
		t.set("management", m)
	} else {
		w.left("login.management", "", "the file has no AUTH0_MANAGEMENT_CLIENT_ID; without management /email/verify is unknown")
	}
	if w.has("ENABLE_CASTLE_BLOCKING", "CASTLE_API_SECRET") {
		risk := object()
		risk.set("castle", w.castle())
		t.set("risk", risk)
	}
	if w.has("USER_SERVICE_URL") {
		t.set("userService", w.userService())
	}
	w.left("login.social, login.metrics, login.qa", "", "what the worker did there stands in its code, not in its file; without these keys those paths are unknown, and nobody is listed")
	return t
}

func (w *wrangler) castle() *tree {
	t := object()
	w.putSecret(t, "apiSecret", "CASTLE_API_SECRET")
	switch v := w.value("ENABLE_CASTLE_BLOCKING", false); v {
	case "true", "false":
		t.set("blocking", &tree{scalar: v == "true"})
	default:
		t.set("blocking", text(w.variable("ENABLE_CASTLE_BLOCKING")))
	}
	w.fill(t, "risk.castle.onError", text(""), "allow or deny, which counts while Castle is away; there is no default.")
	return t
}

func (w *wrangler) userService() *tree {
	t := object()
	w.put(t, "url", "USER_SERVICE_URL")
	region, service := signedFor(w.vars["USER_SERVICE_URL"])
	sign := object()
	if region != "" {
		sign.set("region", text(region))
	} else {
		w.put(sign, "region", "AWS_REGION")
	}
	if service != "" {
		sign.set("service", text(service))
	} else {
		w.fill(sign, "userService.signing.awsSigV4.service", text(""), "what calls are signed for: execute-api behind an API Gateway, lambda at the URL of a function.")
	}
	w.putSecret(sign, "accessKeyId", "AWS_ACCESS_KEY_ID")
	w.putSecret(sign, "secretAccessKey", "AWS_SECRET_ACCESS_KEY")
	by := object()
	by.set("awsSigV4", sign)
	t.set("signing", by)
	w.fill(t, "userService.onError", text(""), "allow or deny, which counts for a sign-in while the service is away; there is no default.")
	return t
}

var awsHost = regexp.MustCompile(`\.(execute-api|lambda-url)\.([a-z]{2}(?:-[a-z]+)+-[0-9])\.(?:amazonaws\.com|on\.aws)$`)

// signedFor reads the region and the service off a host of AWS.
func signedFor(raw string) (region, service string) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", ""
	}
	m := awsHost.FindStringSubmatch(strings.ToLower(u.Hostname()))
	switch {
	case m == nil:
		return "", ""
	case m[1] == "lambda-url":
		return m[2], "lambda"
	}
	return m[2], m[1]
}

func (w *wrangler) sms() *tree {
	t := object()
	w.fill(t, "origins", list(), "the pages that may ask: https://www.example.com.")
	t.set("regions", list(text("US")))
	w.took("sms.regions", 0, "US, the one country that the worker wrote to")
	twilio := object()
	w.put(twilio, "accountSid", "TWILIO_ACCOUNT_SID")
	w.putSecret(twilio, "authToken", "TWILIO_AUTH_TOKEN")
	w.put(twilio, "messagingServiceSid", "TWILIO_MESSAGING_SERVICE_SID")
	t.set("twilio", twilio)
	w.fill(t, "campaigns", object(), "the texts, by what stands in the path; default is that of /.\n  default: \"Get the app: https://…\"")
	return t
}

func (w *wrangler) links() *tree {
	ios, android := object(), object()
	ios.set("appId", text(""))
	ios.set("paths", list(text("/link/*")))
	android.set("package", text(""))
	android.set("sha256", list())
	t := object()
	w.fill(t, "ios", list(ios), "the app's id, TEAMID.com.example.app, and the paths that it opens.")
	w.fill(t, "android", list(android), "the package, com.example.app, and its certificates' SHA-256 fingerprints.")
	return t
}

// put sets a key to what a variable of the worker says, or to the variable.
func (w *wrangler) put(t *tree, key, variable string) { t.set(key, text(w.value(variable, false))) }

// putSecret sets a key to a variable, whatever the worker's file says.
func (w *wrangler) putSecret(t *tree, key, variable string) {
	t.set(key, text(w.value(variable, true)))
}

// fill sets a key to what does not load, and says above it what belongs there. path
// is the key's within the surface.
func (w *wrangler) fill(t *tree, path string, v *tree, what string) {
	t.set(path[strings.LastIndexByte(path, '.')+1:], v)
	t.object[len(t.object)-1].comment = toFill + what
	w.unknown = append(w.unknown, path)
}

func list(items ...*tree) *tree { return &tree{kind: isList, list: items} }

// stored are the keys of a file whose surface stores something.
func (w *wrangler) stored(out *tree, env string) {
	if env != "prod" {
		return // a key is made beside the store
	}
	out.set("masterKey", text(w.variable("PORTREEVE_MASTER_KEY")))
	out.object[len(out.object)-1].comment = "What seals the store: `portreeve masterkey new` prints one."
	w.took("masterKey", 0, "which prod needs, from PORTREEVE_MASTER_KEY")
}

var serviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// datadog ships the access log as the worker shipped its logs.
func (w *wrangler) datadog(out *tree, kind string) {
	name, _ := w.root.get("name").text()
	if !serviceName.MatchString(name) {
		name = cmp.Or(kind, "portreeve")
	}
	inside, log := object(), object()
	inside.set("service", text(name))
	log.set("datadog", inside)
	out.set("log", log)
	out.object[len(out.object)-1].comment = "Ships the access log while DATADOG_API_KEY is set."
	if w.has("DATADOG_API_KEY") {
		_ = w.value("DATADOG_API_KEY", true)
		delete(w.reads, "DATADOG_API_KEY") // by itself
	}
	w.took("log.datadog", 0, fmt.Sprintf("the access log, as service %s", name))
}
