package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Comments reads the doc comments of struct types and their fields from the Go
// files of some folders: "package.Type" and "package.Type.Field" → text. It
// needs the sources, so only `go generate` and its test call it.
func Comments(dirs ...string) (map[string]string, error) {
	out := map[string]string{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, &fs.PathError{Op: "read comments", Path: dir, Err: os.ErrNotExist}
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			commentsOf(parsed, out)
		}
	}
	return out, nil
}

func commentsOf(file *ast.File, out map[string]string) {
	for _, d := range file.Decls {
		decl, is := d.(*ast.GenDecl)
		if !is || decl.Tok != token.TYPE {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.TypeSpec)
			name := file.Name.Name + "." + spec.Name.Name
			group := spec.Doc
			if group == nil && len(decl.Specs) == 1 {
				group = decl.Doc
			}
			keep(out, name, group)
			if body, is := spec.Type.(*ast.StructType); is {
				for _, f := range body.Fields.List {
					for _, n := range f.Names {
						keep(out, name+"."+n.Name, f.Doc, f.Comment)
					}
				}
			}
		}
	}
}

// keep stores the first of the groups that says anything, in one line.
func keep(out map[string]string, name string, groups ...*ast.CommentGroup) {
	for _, g := range groups {
		if text := strings.TrimSpace(g.Text()); text != "" {
			first, _, _ := strings.Cut(text, "\n\n")
			out[name] = strings.Join(strings.Fields(first), " ")
			return
		}
	}
}
