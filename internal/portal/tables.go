package portal

import (
	"fmt"
	"regexp"
	"strings"
)

// labelled writes into a page's template what its tables need where they are too
// wide for their place: style.css then makes a card of each row, on whose lines
// stand the names of the columns (data-label), and a browser that is told to lay a
// cell out as a block may forget that it is one (role). Templates say neither:
// both follow from the header, once, when they are parsed. Without a script a page
// could not do it later, and with one it would move.
func labelled(page string) (string, error) {
	var wrong error
	out := tables.ReplaceAllStringFunc(page, func(table string) string {
		head, body, ok := strings.Cut(table, "</thead>")
		if !ok {
			wrong = fmt.Errorf("a table without a header: %.60s", table)
			return table
		}
		labels := columnNames(head)
		rows := tableRows.FindAllString(body, -1)
		for _, row := range rows {
			n := 0
			marked := tableCells.ReplaceAllStringFunc(row, func(cell string) string {
				n++
				switch {
				case n > len(labels):
					return cell
				case strings.HasPrefix(cell, "<th"):
					return `<th role="rowheader"` + cell[len("<th"):]
				case labels[n-1] == "":
					return `<td role="cell"` + cell[len("<td"):]
				}
				return `<td role="cell" data-label="` + labels[n-1] + `"` + cell[len("<td"):]
			})
			if n != len(labels) {
				wrong = fmt.Errorf("%d cells under %d columns: %.120s", n, len(labels), row)
			}
			body = strings.Replace(body, row, marked, 1)
		}
		return tableParts.Replace(strings.ReplaceAll(head, `<th scope="col"`, `<th role="columnheader" scope="col"`) + "</thead>" + body)
	})
	return out, wrong
}

// columnNames are what a table's header calls its columns: "" where it says so to
// those alone who do not see.
func columnNames(head string) (out []string) {
	for _, m := range columnHeads.FindAllStringSubmatch(head, -1) {
		name := m[1]
		if strings.HasPrefix(name, "<span") {
			name = ""
		}
		out = append(out, name)
	}
	return out
}

// Tables that have a class are laid out otherwise: those of charts are for those
// alone who do not see.
var (
	tables      = regexp.MustCompile(`(?s)<table>.*?</table>`)
	tableRows   = regexp.MustCompile(`(?s)<tr>.*?</tr>`)
	tableCells  = regexp.MustCompile(`<td\b|<th\b`)
	columnHeads = regexp.MustCompile(`<th scope="col"[^>]*>(.*?)</th>`)
	tableParts  = strings.NewReplacer("<table>", `<table role="table">`, "<thead>", `<thead role="rowgroup">`, "<tbody>", `<tbody role="rowgroup">`, "<tr>", `<tr role="row">`)
)
