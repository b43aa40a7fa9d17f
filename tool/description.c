/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading the VM description: see description.h.
 *
 * libcyaml fills the structs. It knows only roughly where an error is and forgets the places of
 * good values, so the file is parsed once more into a libyaml document, which keeps the exact mark
 * of each node.
 */
#include "tool/description.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTION_MAX (1u << 20) /* bytes; a longer file is no VM description */

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define NEEDED   CYAML_FLAG_POINTER

static const cyaml_schema_field_t vm_fields[] = {
    CYAML_FIELD_STRING_PTR("name", NEEDED, struct vm_description, name, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("kernel", NEEDED, struct vm_description, kernel, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("initrd", OPTIONAL, struct vm_description, initrd, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("cmdline", OPTIONAL, struct vm_description, cmdline, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("memory", NEEDED, struct vm_description, memory, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("vcpus", OPTIONAL, struct vm_description, vcpus, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("console", OPTIONAL, struct vm_description, console, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t vm_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct vm_description, vm_fields),
};

static const cyaml_schema_value_t word_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};

static const cyaml_schema_field_t host_fields[] = {
    CYAML_FIELD_STRING_PTR("memory", OPTIONAL, struct host_description, memory, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("cpu", OPTIONAL, struct host_description, cpu, 0, CYAML_UNLIMITED),
    CYAML_FIELD_STRING_PTR("msr-switch", OPTIONAL, struct host_description, msr_switch, 0,
                           CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("hide", OPTIONAL, struct host_description, hide, &word_schema, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_MAPPING("host", CYAML_FLAG_OPTIONAL, struct description, host, host_fields),
    CYAML_FIELD_SEQUENCE("vms", NEEDED, struct description, vms, &vm_schema, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct description, fields)};

/* What libcyaml says while it loads: the error, then a backtrace whose first line has the innermost
 * place. */
struct complaint {
    char message[256];
    char where[256]; /* "vms[0].vcpus", built from the inside out */
    unsigned line, column;
};

static void listen(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct complaint *complaint = context;
    char said[256], name[64], outer[330];
    unsigned line, column, entry;

    vsnprintf(said, sizeof(said), format, arguments);
    said[strcspn(said, "\n")] = '\0';
    const char *place = strstr(said, "(line: ");
    if (!place) {
        if (!complaint->message[0] && strncmp(said, "Load: ", 6) == 0)
            snprintf(complaint->message, sizeof(complaint->message), "%s", said + 6);
        return;
    }
    if (!complaint->line && sscanf(place, "(line: %u, column: %u)", &line, &column) == 2) {
        complaint->line = line;
        complaint->column = column;
    }
    const char *joint = complaint->where[0] && complaint->where[0] != '[' ? "." : "";
    if (sscanf(said, "  in mapping field '%63[^']'", name) == 1)
        snprintf(outer, sizeof(outer), "%s%s%s", name, joint, complaint->where);
    else if (sscanf(said, "  in sequence entry '%u'", &entry) == 1)
        snprintf(outer, sizeof(outer), "[%u]%s%s", entry ? entry - 1 : 0, joint, complaint->where);
    else
        return;
    snprintf(complaint->where, sizeof(complaint->where), "%.255s", outer);
}

static void print_error(struct description_file *file, size_t line, size_t column,
                        const char *where, const char *message)
{
    progress_end();
    fprintf(stderr, "%s:%zu:%zu: %s%s%s\n", file->path, line, column, where, where[0] ? ": " : "",
            message);
    file->errors++;
}

/* The node of a mapping's value, or 0. */
static int child_by_key(struct description_file *file, const yaml_node_t *node, const char *key,
                        size_t length)
{
    if (node->type != YAML_MAPPING_NODE)
        return 0;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = yaml_document_get_node(&file->document, pair->key);
        if (name->type == YAML_SCALAR_NODE && name->data.scalar.length == length &&
            memcmp(name->data.scalar.value, key, length) == 0) {
            return pair->value;
        }
    }
    return 0;
}

/* The node of a sequence's entry, or 0. */
static int child_by_index(const yaml_node_t *node, unsigned long index)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return 0;
    yaml_node_item_t *item = node->data.sequence.items.start + index;
    return item < node->data.sequence.items.top ? *item : 0;
}

/* The mark of the node at `where`, or of the innermost node on the way that exists. */
static yaml_mark_t mark_of(struct description_file *file, const char *where)
{
    const yaml_node_t *node = yaml_document_get_root_node(&file->document);
    int child;

    while (*where) {
        if (*where == '[') {
            char *end;
            child = child_by_index(node, strtoul(where + 1, &end, 10));
            where = end + 1;
        } else {
            where += *where == '.';
            size_t length = strcspn(where, ".[");
            child = child_by_key(file, node, where, length);
            where += length;
        }
        if (!child)
            break;
        node = yaml_document_get_node(&file->document, child);
    }
    return node->start_mark;
}

void description_error(struct description_file *file, const char *where, const char *format, ...)
{
    yaml_mark_t mark = mark_of(file, where);
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    print_error(file, mark.line + 1, mark.column + 1, where, message);
}

/* An unknown key: libcyaml points at what came before it, so the key is looked up from there on. */
static void find_key(struct description_file *file, const char *key, struct complaint *complaint)
{
    for (int i = 1;; i++) {
        const yaml_node_t *node = yaml_document_get_node(&file->document, i);
        if (!node)
            return;
        const yaml_mark_t *mark = &node->start_mark;
        if (node->type == YAML_SCALAR_NODE &&
            strcmp((const char *)node->data.scalar.value, key) == 0 &&
            (mark->line + 1 > complaint->line ||
             (mark->line + 1 == complaint->line && mark->column + 1 >= complaint->column))) {
            complaint->line = (unsigned)mark->line + 1;
            complaint->column = (unsigned)mark->column + 1;
            return;
        }
    }
}

/* What libcyaml says of kinds of values, in words that say what to do. */
static const struct {
    const char *said;
    const char *words;
} kind_errors[] = {
    {"Expecting SEQUENCE", "a list must be here: entries that start with '- ', or [...]"},
    {"Expecting MAPPING", "keys with values must be here, such as 'memory: 256M'"},
    {"Expecting STRING", "one value must be here, no list and no keys"},
};

/* The same of keys. */
static const struct {
    const char *said; /* the key follows */
    const char *words;
    bool at_key; /* the place is the key's own; otherwise it is that of the mapping around it */
} key_errors[] = {
    {"Unexpected key: ", "unknown key '%s'; see lintel(1), VM DESCRIPTION, for the keys", true},
    {"Mapping field already seen: ", "the key '%s' is there twice; remove one", true},
    {"Missing required mapping field: ", "the key '%s' is missing; add it", false},
};

/* Moves the complaint from the last good key to the mapping that holds it. */
static void widen(struct description_file *file, struct complaint *complaint)
{
    char *last = strrchr(complaint->where, '.');

    if (last)
        *last = '\0';
    yaml_mark_t mark = mark_of(file, last ? complaint->where : "");
    complaint->line = (unsigned)mark.line + 1;
    complaint->column = (unsigned)mark.column + 1;
}

/* Says what libcyaml found wrong. */
static void explain(struct description_file *file, struct complaint *complaint)
{
    char message[512];

    snprintf(message, sizeof(message), "%s; see lintel(1), VM DESCRIPTION", complaint->message);
    for (size_t i = 0; i < sizeof(kind_errors) / sizeof(kind_errors[0]); i++) {
        if (strncmp(complaint->message, kind_errors[i].said, strlen(kind_errors[i].said)) == 0) {
            snprintf(message, sizeof(message), "%s; see lintel(1), VM DESCRIPTION",
                     kind_errors[i].words);
        }
    }
    for (size_t i = 0; i < sizeof(key_errors) / sizeof(key_errors[0]); i++) {
        const char *key = complaint->message + strlen(key_errors[i].said);
        if (strncmp(complaint->message, key_errors[i].said, strlen(key_errors[i].said)) != 0)
            continue;
        snprintf(message, sizeof(message), key_errors[i].words, key);
        if (key_errors[i].at_key)
            find_key(file, key, complaint);
        else
            widen(file, complaint);
    }
    print_error(file, complaint->line ? complaint->line : 1,
                complaint->column ? complaint->column : 1, complaint->where, message);
}

static enum exit_code read_bytes(struct description_file *file)
{
    FILE *stream = fopen(file->path, "r");

    if (!stream) {
        return fail(LINTEL_DESCRIPTION, "%s: %s; name an existing VM description", file->path,
                    strerror(errno));
    }
    file->bytes = malloc(DESCRIPTION_MAX + 1);
    file->size = file->bytes ? fread(file->bytes, 1, DESCRIPTION_MAX + 1, stream) : 0;
    bool bad = ferror(stream);
    fclose(stream);
    if (bad)
        return fail(LINTEL_DESCRIPTION, "%s: cannot be read; is it a regular file?", file->path);
    if (file->size > DESCRIPTION_MAX) {
        return fail(LINTEL_DESCRIPTION, "%s: is longer than 1 MiB; is it a VM description?",
                    file->path);
    }
    return LINTEL_OK;
}

/* The next document of the file. False after a message: there is none that is YAML. */
static bool parse_document(struct description_file *file, yaml_parser_t *parser,
                           yaml_document_t *document)
{
    char message[256];

    if (yaml_parser_load(parser, document))
        return true;
    snprintf(message, sizeof(message), "this is no YAML: %s%s%s", parser->problem,
             parser->context ? " " : "", parser->context ? parser->context : "");
    print_error(file, parser->problem_mark.line + 1, parser->problem_mark.column + 1, "", message);
    return false;
}

/* Says that something at a node's place is wrong. */
static void node_error(struct description_file *file, const yaml_node_t *node, const char *message)
{
    print_error(file, node->start_mark.line + 1, node->start_mark.column + 1, "", message);
}

/* What YAML allows, but what C's strings and libcyaml would take for something else. */
static void check_nodes(struct description_file *file)
{
    const yaml_node_t *node, *key;

    for (int i = 1; (node = yaml_document_get_node(&file->document, i)); i++) {
        if (node->type == YAML_SCALAR_NODE &&
            strlen((const char *)node->data.scalar.value) != node->data.scalar.length) {
            node_error(file, node, "this has a NUL character; remove it");
        }
        if (node->type != YAML_MAPPING_NODE)
            continue;
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
            key = yaml_document_get_node(&file->document, pair->key);
            if (key->type != YAML_SCALAR_NODE)
                node_error(file, key, "a key must be a word; see lintel(1), VM DESCRIPTION");
        }
    }
}

/* A second document would not be looked at. */
static void check_end(struct description_file *file, yaml_parser_t *parser)
{
    yaml_document_t more;

    if (!parse_document(file, parser, &more))
        return;
    if (yaml_document_get_root_node(&more)) {
        print_error(file, more.start_mark.line + 1, more.start_mark.column + 1, "",
                    "a second document starts here; describe all VMs in one");
    }
    yaml_document_delete(&more);
}

/* Parses the bytes into file->document. */
static enum exit_code parse(struct description_file *file)
{
    yaml_parser_t parser;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)file->bytes, file->size);
    if (parse_document(file, &parser, &file->document)) {
        if (yaml_document_get_root_node(&file->document)) {
            check_nodes(file);
            check_end(file, &parser);
        } else {
            print_error(file, 1, 1, "",
                        "the file is empty; describe at least one VM, as examples/demo.yaml does");
        }
        if (file->errors)
            yaml_document_delete(&file->document);
    }
    yaml_parser_delete(&parser);
    return file->errors ? LINTEL_DESCRIPTION : LINTEL_OK;
}

static const cyaml_config_t base_config = {
    .log_fn = listen,
    .log_level = CYAML_LOG_ERROR,
    .mem_fn = cyaml_mem,
};

enum exit_code description_open(struct description_file *file, const char *path)
{
    struct complaint complaint = {0};
    cyaml_config_t config = base_config;

    *file = (struct description_file){.path = path};
    enum exit_code code = read_bytes(file);
    if (code == LINTEL_OK)
        code = parse(file);
    if (code != LINTEL_OK) {
        free(file->bytes);
        return code;
    }
    config.log_ctx = &complaint;
    if (cyaml_load_data((const uint8_t *)file->bytes, file->size, &config, &schema,
                        (cyaml_data_t **)&file->content, NULL) != CYAML_OK) {
        explain(file, &complaint);
        description_close(file);
        return LINTEL_DESCRIPTION;
    }
    return LINTEL_OK;
}

void description_close(struct description_file *file)
{
    cyaml_free(&base_config, &schema, file->content, 0);
    yaml_document_delete(&file->document);
    free(file->bytes);
}
