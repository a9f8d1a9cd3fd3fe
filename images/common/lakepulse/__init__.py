"""What the stages share, and nothing else: settings, project list, landings, names, outcomes, the console command.

Every image has this package. A stage may import it; it imports no stage.
"""
