#!/bin/sh
# documents: writes the manual page and the completions that the program has in it into the current folder.
#
#   sh documents.sh ELEMENTOR_SYNC
set -eu
"$1" help --man >elementor-sync.1
gzip -9nf elementor-sync.1
"$1" help --completions=bash >elementor-sync
"$1" help --completions=zsh >_elementor-sync
"$1" help --completions=fish >elementor-sync.fish
