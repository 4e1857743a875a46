package demo

// signIn is the login edge, in front of Auth0, Castle and a user service.
func (d *Demo) signIn() Group {
	// A token of the device, as Castle's script in an application makes it: each
	// counts once, and reaches curl by its standard input.
	device := "curl -s " + d.page.url + "/device | "
	token := func(status int, rest, path string) string {
		return device + curl(status, "-H @- "+rest+" "+d.at("login", path))
	}
	pick := func(name, prefix, file string) string {
		return ` | sed 's/.*"` + name + `":"\([^"]*\)".*/` + prefix + `\1/' > ` + file
	}
	steps := []Step{
		{curl(200, "-d @lena.json "+d.at("backoffice", "/oauth/token")), 200, "a user name and a password; Portreeve adds the client's secret and the rest", true},
		{token(200, "-d @lena", "/oauth/token"), 200, "scored by Castle before and after, known to the user service, let in by Auth0", true},
		{token(401, "-d @mallory", "/oauth/token"), 401, "Castle denies: Auth0 is not even asked", true},
		{curl(401, "-d @lena "+d.at("login", "/oauth/token")), 401, "nor is it for a device without a token", false},
		{token(401, "-d @kim", "/oauth/token"), 401, "the user service has kim blocked", false},
		{curl(404, d.at("backoffice", "/oauth/token/")), 404, "the site has one path", false},
		{device + "curl -s -H @- -d @lena " + d.at("login", "/oauth/token") + " > lena.set", 0, "lena's tokens, kept", false},
		{"cat lena.set" + pick("access_token", "Authorization: Bearer ", "lena.access") + "; cat lena.set" + pick("refresh_token", "refresh_token=", "lena.refresh"), 0, "two of them", false},
		{token(200, "-d @lena.refresh", "/oauth/refresh"), 200, "a new set for the refresh token", false},
		{curl(200, "-H @lena.access "+d.at("login", "/userinfo")), 200, "who she is, by Auth0", false},
		{"curl -s -H @lena.access " + d.at("login", "/layer/session") + pick("session_token", "session_token=", "lena.session"), 0, "a session token of fifteen minutes, by Portreeve", false},
		{curl(200, "-d @lena.session "+d.at("login", "/layer/session/account")), 200, "and the user service's record for it", false},
		{token(403, "-d @nora", "/oauth/token"), 403, "Auth0 asks for nora's second factor (mfa_required)", false},
		{device + "curl -s -H @- -d @nora " + d.at("login", "/oauth/token") + pick("mfa_token", "mfa_token=", "nora.mfa"), 0, "the mfa_token, kept", false},
		{"curl -s -d @nora.mfa -d authenticator_types=otp " + d.at("login", "/mfa/associate") + " | curl -s --data-binary @- " + d.noras.URL() + "/scan", 0, "nora's telephone scans the QR code", false},
		{"curl -s " + d.noras.URL() + "/code > nora.code", 0, "a code of it", false},
		{token(200, "-d @nora.mfa --data-urlencode otp@nora.code", "/mfa/verify"), 200, "lets her in", false},
	}
	return Group{Name: "sign-in", Title: "Sign-in, in front of Auth0, with Castle and a user service around it", Steps: steps}
}
