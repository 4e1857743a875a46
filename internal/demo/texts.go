package demo

// textMe is text-me-the-app, in front of Twilio. The number is one of those that
// are for fiction.
func (d *Demo) textMe() Group {
	ask := func(status int, origin, to string) string {
		return curl(status, "-H 'Origin: "+origin+`' -d '{"to": "`+to+`"}' `+d.at("get", "/"))
	}
	steps := []Step{
		{ask(201, d.page.url, "(201) 555-0123"), 201, "a text is sent: see the demo's own terminal", true},
		{ask(201, d.page.url, "+1 201 555 0123"), 201, "the same number again: it is not sent twice", false},
		{curl(200, d.page.url+"/texts"), 200, "what the telephone got", false},
		{ask(403, d.page.url, "+49 1512 3456789"), 403, "a number of another country", false},
		{ask(403, "https://evil.example", "(201) 555-0123"), 403, "a page that is not on the list", false},
	}
	return Group{Name: "texts", Title: "Text me the app", Steps: steps}
}
