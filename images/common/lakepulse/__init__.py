"""What the stages share and nothing else: settings, project list, landings, names, outcomes.

Every image carries this package. A stage may import it; it imports no stage.
"""
