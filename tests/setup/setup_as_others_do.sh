#!/usr/bin/env bash
# Set the course up as people do whose machines are not ours, and say what held:
#
#     tests/setup/setup_as_others_do.sh [CASE…]      spaces zip npm user interrupt; all without a name
#
# Each case has a fresh copy of what git knows of this folder, sets up the environment and the
# third-party scripts by the Makefile, and builds two pages: the first one and lesson 1, which is run.
# That takes some minutes a case and asks the package registries, so that no other test calls this.
# Not the whole book is built: its other pages need nothing that these two do not.
set -uo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
log=$work/log

# What is committed or could be, without what git ignores.
copy() {
  mkdir -p "$1"
  git ls-files --cached --others --exclude-standard -z | tar --null -T - --ignore-failed-read -cf - | tar -xf - -C "$1"
}

set_up() { make .make/vendor; }

two_pages() {
  cat > "$work/toc.yml" <<'TOC' &&
format: jb-book
root: book/intro
chapters:
  - file: lessons/01_data_structures
TOC
  .venv/bin/python tests/notebooks.py lessons/01_data_structures.ipynb &&
    .venv/bin/jupyter-book build . --toc "$work/toc.yml" --path-output two --quiet &&
    test -s two/_build/html/book/intro.html &&
    grep -q "cell_output" two/_build/html/lessons/01_data_structures.html
}

try_spaces() { # a path with spaces
  copy "$work/a path with spaces" && cd "$work/a path with spaces" && set_up && two_pages
}

try_zip() { # a zip file without a history, and no git on the machine
  copy "$work/zip" && cd "$work/zip" && PATH=$(path_without git) && ! command -v git && set_up && two_pages
}

try_npm() { # neither npm nor Node.js
  copy "$work/npm" && cd "$work/npm" && PATH=$(path_without npm npx node nodejs) &&
    ! command -v npm && set_up && two_pages
}

try_user() { # another user than root, whose home is empty
  copy "$work/user" && mkdir "$work/home" && chown -R 65534:65534 "$work/user" "$work/home" &&
    cd "$work/user" && export -f set_up two_pages && export work &&
    HOME=$work/home setpriv --reuid 65534 --regid 65534 --clear-groups \
      bash -c 'test "$(id -u)" -ne 0 && work=$HOME && set_up && two_pages'
}

try_interrupt() { # Ctrl-C while packages are installed and while scripts are fetched, and again
  copy "$work/interrupt" && cd "$work/interrupt" &&
    interrupt_when .venv/bin/uv && ! test -e .make/venv &&
    interrupt_when book/_vendor/node_modules && ! test -e .make/vendor &&
    set_up && two_pages
}

# Start the set-up, and press Ctrl-C once a file or folder is there.
interrupt_when() {
  set -m # a job of its own, which hears the key
  make .make/vendor &
  set +m
  until [ -e "$1" ]; do
    kill -0 $! || return 1 # it has ended before
    sleep 0.1
  done
  kill -INT -- -$!
  ! wait $!
}

# A folder of links to all programs but these, to be the whole PATH.
path_without() {
  local folder=$work/without-$1 part
  mkdir -p "$folder"
  while IFS= read -r -d : part; do
    [ -d "$part" ] && find -L "$part" -maxdepth 1 -type f -executable -exec ln -st "$folder" {} + 2> /dev/null
  done <<< "$PATH:"
  (cd "$folder" && rm -f "$@")
  echo "$folder"
}

failed=0
for case in ${@:-spaces zip npm user interrupt}; do
  if (try_"$case") > "$log" 2>&1; then
    echo "$case: held"
  else
    echo "$case: FAILED"
    tail -n 40 "$log"
    failed=$((failed + 1))
  fi
done
exit "$failed"
