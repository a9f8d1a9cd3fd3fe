{{ downloads_by('system', 'system') }}
