package app

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
)

// files are those that a configuration depends on, by absolute name, each with
// a digest of its content; the zero digest is of no content at all.
type files map[string][32]byte

// now is what the same files hold at this moment.
func (f files) now() files {
	out := make(files, len(f))
	for name := range f {
		out[name] = contentOf(name)
	}
	return out
}

// contentOf digests a file, or that it cannot be read.
func contentOf(name string) [32]byte {
	raw, err := os.ReadFile(name)
	if err != nil {
		return sha256.Sum256([]byte("unreadable"))
	}
	return sha256.Sum256(append([]byte("content "), raw...))
}

// remember notes the files that a load named and what was in them, whether it
// goes into service or not: where a secret was missing, its arrival is what
// everybody waits for. before is what was in them before the load: a file that
// changed meanwhile may have been read either way, and counts as not read.
func (a *App) remember(b *Built, before files) {
	names := append([]string{filepath.Join(b.Dir, filepath.Base(b.Path))}, b.Doc.Files()...)
	names = append(names, b.Files...)
	if b.Env != "prod" {
		names = append(names, filepath.Join(b.Dir, ".dev.vars"), filepath.Join(b.Dir, ".env"))
	}
	out := make(files, len(names))
	for _, name := range names {
		out[name] = contentOf(name)
		if was, ok := before[name]; ok && was != out[name] {
			out[name] = [32]byte{}
		}
	}
	a.named.Store(&out)
}

// loaded are the files of the last load.
func (a *App) loaded() files { return *a.named.Load() }

// maxLinks is how many symbolic links one path may lead through.
const maxLinks = 40

// trail finds what must be watched to see a change of the files: the folders,
// and the names in them that matter. Those are the files themselves, every
// symbolic link on the way to them, and what is missing there.
func trail(of files) (folders, names map[string]bool) {
	folders, names = map[string]bool{}, map[string]bool{}
	for file := range of {
		walk(file, folders, names)
	}
	return folders, names
}

func walk(path string, folders, names map[string]bool) {
	const sep = string(filepath.Separator)
	at, rest := root(path), strings.Split(path[len(filepath.VolumeName(path)):], sep)
	for links := 0; len(rest) > 0; {
		next := rest[0]
		if rest = rest[1:]; next == "" || next == "." {
			continue
		}
		if next == ".." {
			at = filepath.Dir(at)
			continue
		}
		p := filepath.Join(at, next)
		names[p] = true
		info, err := os.Lstat(p)
		switch {
		case err != nil:
			folders[at] = true
			return
		case info.Mode()&os.ModeSymlink != 0:
			folders[at] = true
			to, err := os.Readlink(p)
			if links++; err != nil || links > maxLinks {
				return
			}
			if filepath.IsAbs(to) {
				at, to = root(to), to[len(filepath.VolumeName(to)):]
			}
			rest = append(strings.Split(to, sep), rest...)
		case info.IsDir():
			at = p
		default:
			folders[at] = true
			return
		}
	}
}

func root(path string) string { return filepath.VolumeName(path) + string(filepath.Separator) }
