#!/bin/bash -eu
exec "$SRC/diskproof/.clusterfuzzlite/build.sh"
