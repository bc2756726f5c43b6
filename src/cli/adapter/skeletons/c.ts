import type { Skeleton } from "./skeleton.ts";

const ADAPTER = String
  .raw`/* An adapter for diskproof: a request per line on standard input, an answer per line on standard
 * output. docs/adapter.md of diskproof describes the protocol. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELLO[] =
    "{\"protocol\": 1, \"name\": \"my implementation\", \"version\": \"0.1\", \"language\": \"C\", "
    /* List here what the implementation reads: raw, qcow, qcow2, luks, luks2. */
    "\"formats\": [\"qcow2\"], "
    /* List here what this adapter answers: probe, info, map, check, digest, unlock. */
    "\"operations\": [\"info\", \"digest\"]}";

/* The text in quotes at p without its escapes, as far as size allows; returns what follows it. */
static const char *string_at(const char *p, char *text, size_t size)
{
    size_t n = 0;
    for (p++; *p != '"' && *p != 0; p++) {
        unsigned code = (unsigned char)*p;
        if (*p == '\\') {
            static const char ESCAPES[] = "b\bf\fn\nr\rt\t";
            const char *escape = strchr(ESCAPES, *++p);
            code = escape != NULL && *p != 0 ? (unsigned char)escape[1] : (unsigned char)*p;
            if (*p == 'u' && sscanf(p + 1, "%4x", &code) == 1)
                p += 4;
            /* Requests have escapes with u for control characters alone. */
        }
        if (n + 1 < size)
            text[n++] = (char)code;
    }
    text[n] = 0;
    return *p == '"' ? p + 1 : p;
}

/* Finds a member of a request that is a text: 1 if it is there, else 0. */
static int member(const char *line, const char *name, char *text, size_t size)
{
    char key[64];
    int depth = 0;
    for (const char *p = line; *p != 0;) {
        if (*p == '{' || *p == '[')
            depth++;
        if (*p == '}' || *p == ']')
            depth--;
        if (*p != '"') {
            p++;
            continue;
        }
        p = string_at(p, key, sizeof key);
        if (depth == 1 && p[0] == ':' && p[1] == '"' && strcmp(key, name) == 0) {
            string_at(p + 1, text, size);
            return 1;
        }
        if (depth == 1 && p[0] == ':' && p[1] == '"')
            p = string_at(p + 1, key, sizeof key);
    }
    text[0] = 0;
    return 0;
}

/* Prints a text of JSON. */
static void print_text(const char *text)
{
    putchar('"');
    for (; *text != 0; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

/* Prints an answer: kind is ok (with JSON as its value), rejected, unsupported or crashed. */
static void answer(const char *id, const char *kind, const char *value)
{
    printf("{\"id\": ");
    print_text(id);
    printf(", \"%s\": ", kind);
    if (strcmp(kind, "ok") == 0)
        printf("%s", value);
    else
        print_text(value);
    printf("}\n");
    fflush(stdout);
}

/* Keep standard output for answers: print messages to stderr. A crash is found out. */
int main(void)
{
    static char id[256], operation[64], image[65536];
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        member(line, "id", id, sizeof id);
        member(line, "operation", operation, sizeof operation);
        /* A full path. Names in an image are relative to the folder of that image. */
        member(line, "image", image, sizeof image);
        if (strcmp(operation, "hello") == 0) {
            answer(id, "ok", HELLO);
        } else if (strcmp(operation, "info") == 0) {
            /* answer(id, "ok", "{\"format\": \"qcow2\", \"virtual-size\": \"1048576\"}"); */
            answer(id, "unsupported", "info is not filled in");
        } else if (strcmp(operation, "digest") == 0) {
            /* answer(id, "ok", "{\"sha256\": \"...\", \"length\": \"1048576\"}"); */
            answer(id, "unsupported", "digest is not filled in");
        } else {
            /* digest-range has the members offset and length: decimal numbers as texts. */
            answer(id, "unsupported", operation);
        }
    }
    free(line);
    return 0;
}
`;

/** C of POSIX, without libraries. */
export const c: Skeleton = {
  files: { "adapter.c": ADAPTER },
  build: ["cc -D_POSIX_C_SOURCE=200809L -O2 -o adapter adapter.c"],
  command: "DIR/adapter",
};
