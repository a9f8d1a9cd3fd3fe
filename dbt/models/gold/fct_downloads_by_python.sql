{{ downloads_by('python_minor', 'python_minor') }}
