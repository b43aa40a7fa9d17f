# SPDX-License-Identifier: BSD-2-Clause
"""schema.py COMMAND FILE: holds what a command wrote against docs/lintel.schema.json, and, as that lets new keys come, against
the same with no other keys than its own. Says what is wrong, and ends with 1."""
import json
import pathlib
import sys

import jsonschema


def close(schema):
    """No key of an object is left undescribed."""
    if isinstance(schema, list):
        for part in schema:
            close(part)
    elif isinstance(schema, dict):
        if schema.get('type') == 'object':
            schema.setdefault('additionalProperties', False)
        for part in schema.values():
            close(part)


command, path = sys.argv[1:]
schema = json.loads((pathlib.Path(__file__).parents[3] / 'docs/lintel.schema.json').read_text(encoding='utf-8'))
judge = jsonschema.Draft202012Validator
judge.check_schema(schema)
close(schema)
with open(path, encoding='utf-8') as file:
    written = json.load(file)
errors = [f'{error.json_path}: {error.message}'
          for error in judge({'$ref': f'#/$defs/{command}', '$defs': schema['$defs']}).iter_errors(written)]
if not judge(schema).is_valid(written):
    errors.append(f'it is not one of the objects that {schema["title"]}')
print('\n'.join(errors) or 'as described')
sys.exit(bool(errors))
