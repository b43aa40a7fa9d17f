/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading the VM description: see description.h.
 *
 * libcyaml fills the structs. It knows only roughly where an error is, stops at the first, and
 * forgets the places of good values; so the file is parsed before that into a libyaml document,
 * which keeps the exact mark of each node, and held against libcyaml's schema here.
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
#define WHERE_MAX       128        /* of a place such as "vms[7].console" */

/* libcyaml takes what is there; check_mapping says what is missing. STRICT, which tells libcyaml
 * nothing of strings and lists, marks the keys that must be there. */
#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define NEEDED   (OPTIONAL | CYAML_FLAG_STRICT)

#define WORD(flags, structure, key, member)                                                        \
    CYAML_FIELD_STRING_PTR(key, flags, struct structure, member, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t word_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};

static const cyaml_schema_field_t vm_disk_fields[] = {
    WORD(OPTIONAL, vm_disk_description, "on", on),
    WORD(OPTIONAL, vm_disk_description, "partition", partition),
    WORD(OPTIONAL, vm_disk_description, "size", size),
    WORD(OPTIONAL, vm_disk_description, "contents", contents),
    WORD(OPTIONAL, vm_disk_description, "file", file),
    WORD(OPTIONAL, vm_disk_description, "read-only", read_only),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t vm_network_fields[] = {
    WORD(NEEDED, vm_network_description, "on", on),
    WORD(OPTIONAL, vm_network_description, "mac", mac),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t vm_network_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct vm_network_description, vm_network_fields),
};

static const cyaml_schema_field_t vm_fields[] = {
    WORD(NEEDED, vm_description, "name", name),
    WORD(NEEDED, vm_description, "kernel", kernel),
    WORD(OPTIONAL, vm_description, "initrd", initrd),
    WORD(OPTIONAL, vm_description, "cmdline", cmdline),
    WORD(NEEDED, vm_description, "memory", memory),
    WORD(OPTIONAL, vm_description, "vcpus", vcpus),
    CYAML_FIELD_SEQUENCE("cpus", OPTIONAL, struct vm_description, cpus, &word_schema, 0,
                         CYAML_UNLIMITED),
    WORD(OPTIONAL, vm_description, "alone", alone),
    WORD(OPTIONAL, vm_description, "budget", budget),
    WORD(OPTIONAL, vm_description, "period", period),
    WORD(OPTIONAL, vm_description, "console", console),
    WORD(OPTIONAL, vm_description, "success", success),
    WORD(OPTIONAL, vm_description, "control", control),
    WORD(OPTIONAL, vm_description, "snapshot", snapshot),
    WORD(OPTIONAL, vm_description, "on-reset", on_reset),
    WORD(OPTIONAL, vm_description, "on-fault", on_fault),
    WORD(OPTIONAL, vm_description, "on-halt", on_halt),
    CYAML_FIELD_MAPPING_PTR("disk", OPTIONAL, struct vm_description, disk, vm_disk_fields),
    WORD(OPTIONAL, vm_description, "net", net),
    CYAML_FIELD_SEQUENCE("networks", OPTIONAL, struct vm_description, networks, &vm_network_schema,
                         0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t vm_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct vm_description, vm_fields),
};

static const cyaml_schema_field_t disk_fields[] = {
    WORD(NEEDED, disk_description, "name", name),
    WORD(NEEDED, disk_description, "driver", driver),
    WORD(OPTIONAL, disk_description, "index", index),
    WORD(OPTIONAL, disk_description, "file", file),
    WORD(OPTIONAL, disk_description, "size", size),
    WORD(OPTIONAL, disk_description, "cpu", cpu),
    WORD(OPTIONAL, disk_description, "budget", budget),
    WORD(OPTIONAL, disk_description, "period", period),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t disk_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct disk_description, disk_fields),
};

static const cyaml_schema_field_t nic_fields[] = {
    WORD(NEEDED, nic_description, "driver", driver),
    WORD(OPTIONAL, nic_description, "index", index),
    CYAML_FIELD_SEQUENCE("forward", OPTIONAL, struct nic_description, forward, &word_schema, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t network_fields[] = {
    WORD(NEEDED, network_description, "name", name),
    CYAML_FIELD_MAPPING_PTR("nic", OPTIONAL, struct network_description, nic, nic_fields),
    WORD(OPTIONAL, network_description, "cpu", cpu),
    WORD(OPTIONAL, network_description, "budget", budget),
    WORD(OPTIONAL, network_description, "period", period),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t network_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct network_description, network_fields),
};

static const cyaml_schema_field_t host_fields[] = {
    WORD(OPTIONAL, host_description, "memory", memory),
    WORD(OPTIONAL, host_description, "cpu", cpu),
    WORD(OPTIONAL, host_description, "cpus", cpus),
    WORD(OPTIONAL, host_description, "msr-switch", msr_switch),
    CYAML_FIELD_SEQUENCE("hide", OPTIONAL, struct host_description, hide, &word_schema, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("disks", OPTIONAL, struct host_description, disks, &disk_schema, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("networks", OPTIONAL, struct host_description, networks, &network_schema,
                         0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_MAPPING("host", CYAML_FLAG_OPTIONAL, struct description, host, host_fields),
    CYAML_FIELD_SEQUENCE("vms", NEEDED, struct description, vms, &vm_schema, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct description, fields)};

static void print_error(struct description_file *file, size_t line, size_t column,
                        const char *where, const char *message)
{
    complain(&(struct complaint){file->path, line, column, where, message});
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

/* How many letters must be changed, added or left out to make one word of the other. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[64], length = (unsigned)strnlen(b, 63);

    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (; *a; a++) {
        unsigned diagonal = row[0]++;
        for (unsigned j = 1; j <= length; j++) {
            unsigned best = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
        }
    }
    return row[length];
}

/* Says that something at a node's place is wrong. */
static void node_error(struct description_file *file, const yaml_node_t *node, const char *where,
                       const char *format, ...)
{
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    print_error(file, node->start_mark.line + 1, node->start_mark.column + 1, where, message);
}

static void unknown_key(struct description_file *file, const yaml_node_t *key, const char *where,
                        const cyaml_schema_field_t *fields)
{
    const char *name = (const char *)key->data.scalar.value, *nearest = NULL;
    unsigned least = 3; /* more is another word */

    for (; fields->key; fields++)
        if (distance(name, fields->key) < least) {
            nearest = fields->key;
            least = distance(name, fields->key);
        }
    if (nearest)
        node_error(file, key, where, "unknown key '%s'; did you mean '%s'?", name, nearest);
    else
        node_error(file, key, where,
                   "unknown key '%s'; see lintel(1), VM DESCRIPTION, for the keys", name);
}

static void check_value(struct description_file *file, const yaml_node_t *node, const char *where,
                        const cyaml_schema_value_t *schema);

/* One pair of a mapping; seen: a bit for each field that was there before. */
static void check_pair(struct description_file *file, const yaml_node_pair_t *pair,
                       const char *where, const cyaml_schema_field_t *fields, uint64_t *seen)
{
    const yaml_node_t *key = yaml_document_get_node(&file->document, pair->key);
    const cyaml_schema_field_t *field = fields;
    char inner[WHERE_MAX];

    if (key->type != YAML_SCALAR_NODE) {
        node_error(file, key, where, "a key must be a word; see lintel(1), VM DESCRIPTION");
        file->unfit = true;
        return;
    }
    while (field->key && strcmp(field->key, (const char *)key->data.scalar.value) != 0)
        field++;
    if (!field->key) {
        unknown_key(file, key, where, fields);
        return;
    }
    snprintf(inner, sizeof(inner), "%s%s%s", where, where[0] ? "." : "", field->key);
    if (*seen & 1ULL << (field - fields)) {
        node_error(file, key, inner, "the key '%s' is there twice; remove one", field->key);
        file->unfit = true;
    }
    *seen |= 1ULL << (field - fields);
    check_value(file, yaml_document_get_node(&file->document, pair->value), inner, &field->value);
}

static void check_mapping(struct description_file *file, const yaml_node_t *node, const char *where,
                          const cyaml_schema_field_t *fields)
{
    uint64_t seen = 0;

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        check_pair(file, pair, where, fields, &seen);
    for (unsigned i = 0; fields[i].key; i++)
        if (fields[i].value.flags & CYAML_FLAG_STRICT && !(seen & 1ULL << i))
            node_error(file, node, where, "the key '%s' is missing; add it", fields[i].key);
}

/* What each kind of value is, for libyaml and for who has written another one. */
static const struct {
    enum cyaml_type type;
    yaml_node_type_t node;
    const char *words;
} kinds[] = {
    {CYAML_SEQUENCE, YAML_SEQUENCE_NODE,
     "a list must be here: entries that start with '- ', or [...]"},
    {CYAML_MAPPING, YAML_MAPPING_NODE, "keys with values must be here, such as 'memory: 256M'"},
    {CYAML_STRING, YAML_SCALAR_NODE, "one value must be here, no list and no keys"},
};

static void check_value(struct description_file *file, const yaml_node_t *node, const char *where,
                        const cyaml_schema_value_t *schema)
{
    unsigned kind = 0;
    char inner[WHERE_MAX];

    while (kinds[kind].type != schema->type)
        kind++;
    if (node->type != kinds[kind].node) {
        node_error(file, node, where, "%s; see lintel(1), VM DESCRIPTION", kinds[kind].words);
        file->unfit = true;
    } else if (node->type == YAML_MAPPING_NODE) {
        check_mapping(file, node, where, schema->mapping.fields);
    } else if (node->type == YAML_SEQUENCE_NODE) {
        for (long i = 0; i < node->data.sequence.items.top - node->data.sequence.items.start; i++) {
            snprintf(inner, sizeof(inner), "%s[%ld]", where, i);
            check_value(file,
                        yaml_document_get_node(&file->document, node->data.sequence.items.start[i]),
                        inner, schema->sequence.entry);
        }
    } else if (strlen((const char *)node->data.scalar.value) != node->data.scalar.length) {
        node_error(file, node, where, "this has a NUL character; remove it");
    }
}

static enum exit_code read_bytes(struct description_file *file)
{
    FILE *stream = strcmp(file->path, DESCRIPTION_STDIN) == 0 ? stdin : fopen(file->path, "r");

    if (!stream) {
        return fail(LINTEL_DESCRIPTION, "%s: %s; name an existing VM description", file->path,
                    strerror(errno));
    }
    file->bytes = malloc(DESCRIPTION_MAX + 1);
    file->size = file->bytes ? fread(file->bytes, 1, DESCRIPTION_MAX + 1, stream) : 0;
    bool bad = ferror(stream);
    if (stream != stdin)
        fclose(stream);
    if (bad)
        return fail(LINTEL_DESCRIPTION, "%s: cannot be read; is it a file?", file->path);
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
    const yaml_mark_t *mark = &parser->problem_mark;
    if (mark->index < file->size && file->bytes[mark->index] == '\t')
        snprintf(message, sizeof(message), "this is a tab; YAML is indented by spaces");
    else
        snprintf(message, sizeof(message), "this is no YAML: %s%s%s", parser->problem,
                 parser->context ? " " : "", parser->context ? parser->context : "");
    print_error(file, mark->line + 1, mark->column + 1, "", message);
    file->unfit = true;
    return false;
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

/* Parses the bytes into file->document, and checks it. False: it is not there. */
static bool parse(struct description_file *file)
{
    yaml_parser_t parser;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)file->bytes, file->size);
    bool parsed = parse_document(file, &parser, &file->document);
    const yaml_node_t *root = parsed ? yaml_document_get_root_node(&file->document) : NULL;
    if (root) {
        check_value(file, root, "", &schema);
        check_end(file, &parser);
    } else if (parsed) {
        print_error(file, 1, 1, "",
                    "the file is empty; describe at least one VM, as examples/demo.yaml does");
        file->unfit = true;
    }
    yaml_parser_delete(&parser);
    return parsed;
}

/* What there is to say is said by check_value. */
static const cyaml_config_t config = {
    .flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS,
    .mem_fn = cyaml_mem,
};

enum exit_code description_open(struct description_file *file, const char *path)
{
    *file = (struct description_file){.path = path};
    enum exit_code code = read_bytes(file);
    if (code != LINTEL_OK || !parse(file)) {
        free(file->bytes);
        return LINTEL_DESCRIPTION;
    }
    if (!file->unfit) {
        cyaml_err_t error = cyaml_load_data((const uint8_t *)file->bytes, file->size, &config,
                                            &schema, (cyaml_data_t **)&file->content, NULL);
        if (error == CYAML_OK)
            return LINTEL_OK;
        fail(LINTEL_DESCRIPTION, "%s: %s", file->path, cyaml_strerror(error));
    }
    description_close(file);
    return LINTEL_DESCRIPTION;
}

void description_close(struct description_file *file)
{
    cyaml_free(&config, &schema, file->content, 0);
    yaml_document_delete(&file->document);
    free(file->bytes);
}
