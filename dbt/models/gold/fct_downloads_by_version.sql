{{ downloads_by('version', 'version') }}
