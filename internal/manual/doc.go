// Package manual makes a site of the documentation: the Markdown under docs and
// the configurations under examples become pages of HTML that a server hands out,
// or that lie in a folder and are read without one.
//
// It owns the order of the pages, their frame, stylesheet and search. It must not
// know who serves them, and needs nothing of this process: the same texts and
// version make the same bytes.
//
// The flow: collect reads every text once, gives it its place and cuts a long one
// into several pages (split); read makes a tree of each; render makes links between
// texts links between pages and writes the article, its headings with anchors; the
// index is made of what the articles say, with each key of a reference a place of
// its own (row). Nothing leads out of the tree but links that name their host.
//
// Pages have no inline script or style and load nothing from elsewhere. Without a
// script everything can be read, and the search page is an alphabetical index. In
// a folder (Options.Folder) scripts are ordinary deferred ones, since browsers load
// no module by file:.
//
// Sources: CommonMark, the tables of GitHub's Markdown, and GitHub's way to name
// headings, so that a link works there and here.
package manual
