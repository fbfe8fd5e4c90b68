# Thin calls of the command line, under the names that existing scripts use.
PHOENIX := node bin/phoenix.js

.PHONY: skill-image
skill-image: ## make skill-image SKILL=sql
	$(PHOENIX) skill build $(SKILL)

.PHONY: deploy
deploy: ## the assistant and its skills as containers
	$(PHOENIX) deploy

.PHONY: bench
bench: ## make bench SCENARIO=mixed DURATION=300
	$(PHOENIX) bench --scenario $(or $(SCENARIO),mixed) $(if $(DURATION),--duration $(DURATION))

.PHONY: verify
verify: ## the validation checklist
	$(PHOENIX) verify
