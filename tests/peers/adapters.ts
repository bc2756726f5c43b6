/** Adapters in shell, which the tests start. */

/**
 * An adapter that answers `hello`, and every other operation as its lines of shell say. `$operation`
 * and `$id` are those of the request; `ok VALUE` and `answer KIND VALUE` print answers.
 */
export function shellAdapter(cases: string, hello = '{"name": "shell", "version": "1"}'): string[] {
  const script = String.raw`
answer() { printf '{"id": "%s", "%s": %s}\n' "$id" "$1" "$2"; }
ok() { answer ok "$1"; }
while IFS= read -r line; do
  id=${"$"}{line#*\"id\":\"}; id=${"$"}{id%%\"*}
  operation=${"$"}{line#*\"operation\":\"}; operation=${"$"}{operation%%\"*}
  image=${"$"}{line#*\"image\":\"}; image=${"$"}{image%%\"*}
  case $operation in
  hello) ok '${hello}';;
  ${cases}
  *) answer unsupported '""';;
  esac
done`;
  return ["/bin/sh", "-c", script];
}
