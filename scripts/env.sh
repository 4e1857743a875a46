# Sourced, not run: puts the Node that scripts/deps.sh fetched, if it had to
# fetch one, in front of the system's.
for bin in "$PWD"/.cache/node/node_modules/node-linux-*/bin; do
	if [ -x "$bin/node" ]; then PATH="$bin:$PATH"; export PATH; fi
done
