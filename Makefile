# Thin calls of the command line, under the names that existing scripts use.
PHOENIX := node bin/phoenix.js

.PHONY: skill-image
skill-image: ## make skill-image SKILL=sql
	$(PHOENIX) skill build $(SKILL)

.PHONY: deploy
deploy: ## the assistant and its skills as containers
	$(PHOENIX) deploy

.PHONY: bench
bench: ## make bench SCENARIO=calls
	npm run bench -- $(SCENARIO)
