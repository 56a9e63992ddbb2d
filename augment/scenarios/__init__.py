"""What is to be rendered: presets, conditions, scenario, design, plan and its forecast."""
