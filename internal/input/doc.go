// Package input reads what callers of Portreeve's own surfaces send: JSON
// bodies, query parameters, pages of lists.
//
// It owns the bounds and the words of "Validation failed": which field, and
// what would be right. It knows no surface and no transport.
//
// Bodies are read as JSON whatever their Content-Type says (the older
// documents' curl -d sends none). Member names are compared exactly, and a
// member that stands twice is refused: two readers might choose differently
// (RFC 8259 section 4). Members that nobody asked for are ignored.
package input
