package manual

import (
	"os"
	"path/filepath"
	"regexp"
)

// Write writes a site into a folder under the name of its version, and returns
// where it begins. Files that stand there already are written over; others stay.
func Write(dir, version string, files []File) (string, error) {
	root := filepath.Join(dir, folderName(version))
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, f.Body, 0o644); err != nil { //nolint:gosec // for everybody to read
			return "", err
		}
	}
	return filepath.Join(root, Index), nil
}

// folderName is a version as one path segment.
func folderName(version string) string {
	name := regexp.MustCompile(`[^A-Za-z0-9._+-]+`).ReplaceAllString(version, "-")
	if name == "" || name[0] == '.' {
		return "v" + name
	}
	return name
}
