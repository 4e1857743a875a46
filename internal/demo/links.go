package demo

// links are an app's: one URL, and what each device makes of it.
func (d *Demo) links() Group {
	const iPhone, pixel = "-A iPhone ", "-A Android " // words of their browsers' User-Agent
	invite := d.at("go", "/invite/anna?from=curl")
	steps := []Step{
		{curl(200, iPhone+"'"+invite+"&format=json'"), 200, "where a link leads on an iPhone", true},
		{curl(200, iPhone+"'"+invite+"'"), 200, "the page that opens the app there, or leads to the store", false},
		{curl(200, pixel+"'"+invite+"&format=json'"), 200, "on Android", false},
		{curl(200, "'"+invite+"&format=json'"), 200, "and on a desktop, which gets a page with the QR code", false},
		{curl(200, d.at("go", "/.well-known/apple-app-site-association")), 200, "what iOS reads", true},
		{curl(200, d.at("go", "/.well-known/assetlinks.json")), 200, "what Android reads", false},
		{curl(200, d.at("go", "/anything/else")), 200, "a link that no rule knows: nothing, the system has caught it before", false},
		{curl(405, "-X POST "+d.at("go", "/invite/anna")), 405, "links are read", false},
	}
	return Group{Name: "links", Title: "Links into an app", Steps: steps}
}
